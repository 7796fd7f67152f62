// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title The history of goods: every hand that an item goes through appends an event.
/// @notice An item's history is a hash chain; a batch of items is proven by a Merkle tree.
/// @dev Storage layout, which the generators write directly:
///      slot 0  head[item]     at keccak256(item . 0)
///      slot 1  length[item]   at keccak256(item . 1)
contract Provenance {
    mapping(uint256 item => uint256) public head;
    mapping(uint256 item => uint256) public length;

    event Appended(uint256 indexed item, address indexed by, uint256 what, uint256 head);

    error NotInBatch(uint256 item, uint256 root);

    /// Appends an event to an item's history.
    function append(uint256 item, uint256 what) external returns (uint256 next) {
        next = uint256(keccak256(abi.encode(head[item], msg.sender, what, block.timestamp)));
        head[item] = next;
        length[item] += 1;
        emit Appended(item, msg.sender, what, next);
    }

    /// Checks that an item is in a batch of 2^depth items, and appends the check to its history. The siblings of the proof
    /// are derived from the seed, so that the call data stays short and the hashing does not.
    function prove(uint256 item, uint256 seed, uint256 depth, uint256 root) external {
        uint256 node = uint256(keccak256(abi.encode(item)));
        for (uint256 level = 0; level < depth; level++) {
            uint256 sibling = uint256(keccak256(abi.encode(seed, level)));
            node = (item >> level) & 1 == 0
                ? uint256(keccak256(abi.encode(node, sibling)))
                : uint256(keccak256(abi.encode(sibling, node)));
        }
        if (root != 0 && node != root) revert NotInBatch(item, root);
        head[item] = node;
        length[item] += 1;
        emit Appended(item, msg.sender, seed, node);
    }
}
