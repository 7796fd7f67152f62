//! The faults that can be injected, by name.

macro_rules! faults {
    ($( $item:literal $variant:ident $name:literal $point:ident, $doc:literal; )*) => {
        /// A fault. Their numbers are those of the table in `driver/README.md`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Injected { $( #[doc = $doc] $variant, )* }

        impl Injected {
            /// All of them.
            pub const ALL: &[Self] = &[$( Self::$variant, )*];

            /// Number of the group that it belongs to.
            pub const fn group(self) -> u8 {
                match self { $( Self::$variant => $item, )* }
            }

            /// Name, as in the table.
            pub const fn name(self) -> &'static str {
                match self { $( Self::$variant => $name, )* }
            }

            /// What counts as an occasion for it.
            pub const fn point(self) -> Point {
                match self { $( Self::$variant => Point::$point, )* }
            }
        }
    };
}

/// An occasion for a fault to strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// A message that has ended is reported.
    Done,
    /// A request is reported.
    Request,
    /// A trap is reported.
    Trap,
    /// A message is submitted.
    Exec,
    /// The submission doorbell rings.
    Doorbell,
    /// A register is read.
    Read,
    /// The card's status is read.
    Status,
    /// Memory is mapped.
    Dma,
    /// The driver waits.
    Wait,
    /// The driver resets the card.
    Reset,
}

faults! {
    1 Hang "hang" Done, "Nothing completes any more, until the card is reset.";
    1 Swallowed "lost completion" Done, "A completion is never written.";
    1 Slow "slow completion" Done, "A completion comes late, behind others.";
    1 LateAfterCancel "late completion after cancel" Done, "A completion comes when the driver has cancelled its command.";
    1 LateAfterReset "late completion after reset" Done, "A completion comes when the driver has reset the card.";
    2 OutOfRange "command id out of range" Done, "A completion names a slot that does not exist.";
    2 Duplicate "duplicate completion" Done, "A completion comes twice.";
    2 StaleGeneration "stale generation" Done, "A completion names the slot's last occupant.";
    2 WrongLane "wrong queue" Done, "A completion names a lane other than its command's.";
    2 BadHead "bad head" Done, "A completion claims an impossible submission head.";
    2 BeyondBuffer "length beyond the buffer" Done, "A result claims an output that the buffer cannot hold.";
    2 ReservedStatus "reserved status" Done, "A completion has an undefined status.";
    3 StalePhase "stale phase" Done, "A completion is written without turning its phase bit.";
    3 Torn "torn completion" Done, "A completion's phase bit is visible before its payload.";
    3 TornResult "torn result" Done, "A completion is visible before the second half of its result.";
    3 Overflow "completion-queue overflow" Done, "More completions are written than the ring has room for.";
    3 BeforeDoorbell "completion before doorbell" Exec, "A message is reported as done before the card can know of it.";
    4 SlowFetch "queue full" Doorbell, "The card does not see the submission doorbell for some time, so that the ring fills.";
    5 LostInterrupt "interrupt lost" Wait, "A wait ends without telling of the card's interrupt.";
    5 Spurious "interrupt spurious" Wait, "A wait ends by an interrupt, and nothing has happened.";
    5 Coalesced "interrupts coalesced" Done, "Completions gather behind one interrupt.";
    5 EarlyInterrupt "interrupt early" Done, "The interrupt is there before the completion is visible.";
    5 Storm "interrupt storm" Wait, "Thousands of interrupts with hardly a cycle between them.";
    6 Unmapped "DMA unmapped" Exec, "The message lies where nothing is mapped.";
    6 UnmappedResult "DMA unmapped, writing" Exec, "The result goes where nothing is mapped.";
    6 Crossing "DMA crossing" Exec, "The result runs over the end of a mapping.";
    6 Overflowing "IOVA overflow" Exec, "The message runs over the end of the address space.";
    6 MsiWindow "MSI window" Exec, "The result goes to the addresses of interrupts (0xfee00000).";
    6 LockedMemory "RLIMIT_MEMLOCK" Dma, "No more memory may be locked.";
    6 MappingLimit "mapping limit" Dma, "The IOMMU takes no more mappings.";
    7 AllOnes "all-ones mid-operation" Read, "From now on every register reads all ones.";
    7 AllOnesOnce "all-ones once" Status, "One read of the card's status gives all ones.";
    7 Unplugged "hot-unplug" Read, "From now on every access fails.";
    7 SelfReset "card self-reset" Done, "The card resets itself and forgets everything.";
    7 FlrStall "FLR stall" Reset, "The card comes neither out of its own nor out of the function's reset.";
    8 AccessFails "error reply" Read, "One register access fails.";
    11 FlippedGas "bit flip in a result's header" Done, "A bit of the gas that is left.";
    11 FlippedResult "bit flip in a result" Done, "A bit of logs, output or slots.";
    11 FlippedKey "bit flip in a request" Request, "A bit of the key that is asked for.";
    11 FlippedMessage "bit flip in a message" Exec, "A bit of the caller's address.";
}
