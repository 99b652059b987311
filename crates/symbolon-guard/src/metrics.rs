//! What a guard counts, for the app's own registry of metrics.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

use crate::check::Reason;

/// Counters of one guard. On the way of a yes only [`Checked`](crate::checked::Checked) counts.
#[derive(Default)]
pub(crate) struct Metrics {
    refusals: Family<Refusals, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refusals {
    reason: &'static str,
}

impl Metrics {
    /// A request was refused.
    pub(crate) fn refused(&self, reason: Reason) {
        let reason = reason.code();
        self.refusals.get_or_create(&Refusals { reason }).inc();
    }

    /// Shows the counters to a registry.
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register(
            "symbolon_guard_refusals",
            "Requests that the guard refused, by reason",
            self.refusals.clone(),
        );
    }
}
