//! Where the queue code gets its fences from: `tests/ring.rs` gives it others.

pub(crate) use std::sync::atomic::{Ordering, fence};
