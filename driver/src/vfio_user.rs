//! The vfio-user protocol: a PCI function behind a Unix socket.
//!
//! What the kernel's VFIO offers as `ioctl`s (regions, interrupts, DMA mappings, reset), vfio-user offers as
//! messages to another process. QEMU speaks it (`-device vfio-user-pci`), so a function that is served this
//! way is a PCI function to a guest. Source: QEMU's `docs/interop/vfio-user.rst`, protocol version 0.
//!
//! [`wire`] has the messages, [`channel`] carries them; both sides use them. The client is
//! [`crate::transport::VfioUser`], the server is in `gatewei-sim`.

pub mod channel;
pub mod wire;
