//! Instructions and cache misses of the same work, counted by Valgrind: the same on a busy machine.
//!
//! Needs `valgrind` and the runner of exactly this version, once:
//! `cargo install gungraun-runner --version 0.20.0 --locked`. Then
//! `cargo bench -p symbolon-jose --bench instructions`. Compiling it needs neither.
#![expect(clippy::unwrap_used, reason = "a bench")]
#![expect(missing_docs, reason = "a program, not a library")]

use gungraun::{library_benchmark, library_benchmark_group, main};
use symbolon_jose::Algorithm;

mod task;

use task::Work;

fn verifying(algorithm: Algorithm, row: usize) -> Work {
    warm(task::verifying(algorithm).into_iter().nth(row).unwrap().1)
}

fn signing(algorithm: Algorithm, row: usize) -> Work {
    warm(task::signing(algorithm).into_iter().nth(row).unwrap().1)
}

/// The first call of the crypto library looks at the processor.
fn warm(work: Work) -> Work {
    work();
    work
}

#[library_benchmark]
#[bench::hs256_bare(verifying(Algorithm::Hs256, 0))]
#[bench::hs256_ours(verifying(Algorithm::Hs256, 1))]
#[bench::hs256_jsonwebtoken(verifying(Algorithm::Hs256, 2))]
#[bench::rs256_bare(verifying(Algorithm::Rs256, 0))]
#[bench::rs256_ours(verifying(Algorithm::Rs256, 1))]
#[bench::es256_bare(verifying(Algorithm::Es256, 0))]
#[bench::es256_ours(verifying(Algorithm::Es256, 1))]
#[bench::eddsa_bare(verifying(Algorithm::Ed25519, 0))]
#[bench::eddsa_ours(verifying(Algorithm::Ed25519, 1))]
fn verify(work: Work) {
    work();
}

#[library_benchmark]
#[bench::hs256_bare(signing(Algorithm::Hs256, 0))]
#[bench::hs256_ours(signing(Algorithm::Hs256, 1))]
#[bench::eddsa_bare(signing(Algorithm::Ed25519, 0))]
#[bench::eddsa_ours(signing(Algorithm::Ed25519, 1))]
fn sign(work: Work) {
    work();
}

library_benchmark_group!(name = tokens; benchmarks = verify, sign);
main!(library_benchmark_groups = tokens);
