//! What workers share: the standard library's, or under the feature `shuttle`, ones whose
//! schedules a test chooses.

#[cfg(feature = "shuttle")]
pub use shuttle::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
#[cfg(not(feature = "shuttle"))]
pub use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

#[cfg(feature = "shuttle")]
pub use shuttle::thread;

/// A place where another worker may come in between: where tests shake schedules. Nothing else.
#[inline]
pub fn pause() {
    #[cfg(feature = "shuttle")]
    thread::yield_now();
}
