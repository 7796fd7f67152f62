//! The queue code itself: every order in which two sides can see the rings, and random lives of rings of
//! every depth.
//!
//! `src/queue.rs` is compiled here twice: over loom's memory, which tries all orders that the fences allow,
//! and over plain memory.

#[path = "ring/orders.rs"]
mod orders;
#[path = "ring/random.rs"]
mod random;
