//! The engine's own files, over loom.

#[path = "../../src/engine/mv_memory.rs"]
pub mod mv_memory;
#[path = "../../src/engine/reads.rs"]
pub mod reads;
#[path = "../../src/engine/scheduler/mod.rs"]
pub mod scheduler;
#[path = "sync.rs"]
pub mod sync;
#[path = "../../src/engine/versions.rs"]
mod versions;
#[path = "../../src/engine/view.rs"]
pub mod view;
#[path = "../../src/engine/write_set.rs"]
pub mod write_set;
