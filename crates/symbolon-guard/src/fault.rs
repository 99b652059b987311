//! Rules of the guard that a simulation may break, to see that it notices.
//!
//! Without the feature `simulation` there is no fault to choose, and the questions below are constants.

/// A rule to break on purpose. For tests that show that they would see it: a guard with a fault says yes
/// to what has ended.
#[cfg(any(test, feature = "simulation"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Takes its knowledge for fresh without a proof.
    SkipLease,
    /// Applies an entry of the log although those before it are missing.
    ApplyOutOfOrder,
    /// Measures the age of its knowledge with the wall clock.
    TrustWallClock,
    /// Forgets cut-offs while what they kill has not expired, and takes what is left for all.
    ForgetEarly,
    /// Takes the cut-offs that it knows for all that there ever were.
    IgnoreCompleteSince,
}

/// The broken rule of one guard, if any.
#[derive(Clone, Copy, Default)]
pub(crate) struct Faults {
    #[cfg(any(test, feature = "simulation"))]
    pub(crate) fault: Option<Fault>,
}

/// One question for each fault.
macro_rules! questions {
    ($($name:ident: $fault:ident,)*) => {
        impl Faults {
            $(
                #[cfg(any(test, feature = "simulation"))]
                pub(crate) fn $name(self) -> bool {
                    self.fault == Some(Fault::$fault)
                }

                #[cfg(not(any(test, feature = "simulation")))]
                pub(crate) const fn $name(self) -> bool {
                    false
                }
            )*
        }
    };
}

questions! {
    skips_the_lease: SkipLease,
    skips_entries: ApplyOutOfOrder,
    trusts_the_wall_clock: TrustWallClock,
    forgets_early: ForgetEarly,
    ignores_complete_since: IgnoreCompleteSince,
}
