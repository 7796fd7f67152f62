// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title Votes of an organisation, weighted by what its members hold.
/// @dev Storage layout, which the generators write directly:
///      slot 0  power[member]            at keccak256(member . 0)
///      slot 1  delegate[member]         at keccak256(member . 1)
///      slot 2  tally[proposal]          at keccak256(proposal . 2), for in the upper half, against in the lower
///      slot 3  voted[proposal][member]  at keccak256(member . keccak256(proposal . 3))
contract Voting {
    mapping(address member => uint256) public power;
    mapping(address member => address) public delegateOf;
    mapping(uint256 proposal => uint256) public tally;
    mapping(uint256 proposal => mapping(address member => uint256)) public voted;

    event Delegated(address indexed from, address indexed to, uint256 power);
    event Voted(uint256 indexed proposal, address indexed by, uint256 support, uint256 power);

    error Again(uint256 proposal, address member);

    /// Moves one's whole power to another member.
    function delegate(address to) external {
        uint256 moved = power[msg.sender];
        delegateOf[msg.sender] = to;
        power[msg.sender] = 0;
        power[to] += moved;
        emit Delegated(msg.sender, to, moved);
    }

    /// Votes for (1) or against (0) a proposal with all of one's power.
    function vote(uint256 proposal, uint256 support) external {
        if (voted[proposal][msg.sender] != 0) revert Again(proposal, msg.sender);
        uint256 weight = power[msg.sender];
        voted[proposal][msg.sender] = support + 1;
        tally[proposal] += support != 0 ? weight << 128 : weight;
        emit Voted(proposal, msg.sender, support, weight);
    }
}
