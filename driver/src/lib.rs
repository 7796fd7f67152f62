//! User-space driver of the card: queues, slots, deadlines, transports.
