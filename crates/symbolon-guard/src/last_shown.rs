//! What a connection showed last.
//!
//! A browser shows the same credential with every request of a connection. Whoever shows the very bytes again
//! is known without reading cookies, without a digest and without a look into the cache: for a session a third
//! of what the guard adds to a request, for a JWT nearly half. Everything that may have changed since is judged as
//! ever: cut-offs, ends, freshness.
//!
//! The bytes are held as long as the connection, in whose own buffers they stand anyway, and are zeroed with it.
//! They are compared without an early exit, so that a connection that several people share through a proxy tells
//! none of them how much of another's credential they guessed; how long it is they may learn. The lock is never
//! waited for: the requests of an HTTP/2 connection come side by side, and one that finds it taken is read as if
//! it were the first.

use std::sync::{Arc, Mutex, MutexGuard, TryLockError};

use aws_lc_rs::constant_time;
use http::{HeaderMap, HeaderValue, header};
use zeroize::Zeroizing;

use crate::{
    check::Seen,
    credential::{Carrier, Held, Text},
    csrf::{One, single},
    identity::Identity,
};

/// The longest header that is remembered: what browsers keep of one cookie.
const LONGEST: usize = 4096;

/// So many other credentials may come in a row. After one more the connection is taken for one that many people
/// share, and nothing is remembered on it any more.
const STRANGERS: u8 = 8;

/// The memory of one connection.
#[derive(Default)]
pub(crate) struct LastShown(Mutex<Memory>);

#[derive(Default)]
struct Memory {
    last: Option<Last>,
    /// How many credentials came in a row, none of them twice.
    strangers: u8,
}

struct Last {
    /// The whole value of the only header that it came in.
    header: Zeroizing<Vec<u8>>,
    from: u32,
    to: u32,
    carrier: Carrier,
    has_refresh: bool,
    seen: Arc<Seen>,
}

/// A credential that was shown before.
pub(crate) struct Recalled {
    /// What it proves.
    pub(crate) seen: Arc<Seen>,
    /// Where it stands in this request.
    pub(crate) text: Text,
    /// How it travelled.
    pub(crate) carrier: Carrier,
    /// Whether a refresh token came with it.
    pub(crate) has_refresh: bool,
}

impl LastShown {
    /// What these headers show, if it is what was shown last and the cache still holds what that proves.
    pub(crate) fn recall(&self, headers: &HeaderMap) -> Option<Recalled> {
        let mut memory = self.memory()?;
        let last = memory.last.as_ref()?;
        let header = only(headers, last.carrier)?;
        let is_same = constant_time::verify_slices_are_equal(header.as_bytes(), &last.header);
        if is_same.is_err() || last.seen.is_superseded() {
            return None;
        }
        let recalled = Recalled {
            seen: Arc::clone(&last.seen),
            text: Text::at(header, last.from, last.to),
            carrier: last.carrier,
            has_refresh: last.has_refresh,
        };
        memory.strangers = 0;
        Some(recalled)
    }

    /// Remembers whom these headers showed.
    pub(crate) fn note(&self, headers: &HeaderMap, who: &Identity, has_refresh: bool) {
        let (Some(mut memory), Held::Shown(text)) = (self.memory(), who.held()) else {
            return;
        };
        let (seen, carrier) = (who.seen(), who.carrier());
        if memory.strangers > STRANGERS {
            return;
        }
        // Where a request shows more than one header it is read anew each time.
        let header = only(headers, carrier).filter(|header| header.len() <= LONGEST);
        let is_known = |last: &Last| last.seen.key == seen.key;
        if header.is_some() && !memory.last.as_ref().is_some_and(is_known) {
            memory.strangers += 1;
        }
        let (from, to) = text.place();
        let last = header.filter(|_| memory.strangers <= STRANGERS);
        memory.last = last.map(|header| Last {
            header: Zeroizing::new(header.as_bytes().to_vec()),
            from,
            to,
            carrier,
            has_refresh,
            seen: Arc::clone(seen),
        });
    }

    /// None while another request of the connection has it.
    fn memory(&self) -> Option<MutexGuard<'_, Memory>> {
        match self.0.try_lock() {
            Ok(memory) => Some(memory),
            // Nothing in here panics half way.
            Err(TryLockError::Poisoned(memory)) => Some(memory.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

/// The one header that shows a credential of this carrier, where nothing else has a say in who is calling.
fn only(headers: &HeaderMap, carrier: Carrier) -> Option<&HeaderValue> {
    let name = match carrier {
        Carrier::Bearer => &header::AUTHORIZATION,
        // The other header goes before cookies.
        Carrier::Cookie if headers.contains_key(header::AUTHORIZATION) => return None,
        Carrier::Cookie => &header::COOKIE,
    };
    match single(headers, name) {
        One::Value(value) => Some(value),
        One::Absent | One::Several => None,
    }
}

#[cfg(test)]
mod tests;
