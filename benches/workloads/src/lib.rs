//! Generators of blocks in the block-directory format.
