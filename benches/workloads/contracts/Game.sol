// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title A game of creatures whose attributes are hashed: mint, breed, fight.
/// @dev Storage layout, which the generators write directly:
///      slot 0  creatures minted so far
///      slot 1  genes[creature]   at keccak256(creature . 1)
///      slot 2  wins[creature]    at keccak256(creature . 2)
contract Game {
    uint256 public minted;
    mapping(uint256 creature => uint256) public genes;
    mapping(uint256 creature => uint256) public wins;

    event Born(uint256 indexed creature, address indexed owner, uint256 genes);
    event Fought(uint256 indexed winner, uint256 indexed loser, uint256 rounds);

    error Unborn(uint256 creature);

    /// A creature out of nothing.
    function mint(uint256 seed) external returns (uint256 creature) {
        creature = born(uint256(keccak256(abi.encode(msg.sender, seed, block.prevrandao))));
    }

    /// A creature of two others: every byte of its genes is of one of them, as a hash has it, and some mutate.
    function breed(uint256 mother, uint256 father, uint256 seed) external returns (uint256 creature) {
        uint256 m = known(mother);
        uint256 f = known(father);
        uint256 choice = uint256(keccak256(abi.encode(m, f, seed)));
        uint256 child;
        for (uint256 at = 0; at < 256; at += 8) {
            uint256 byteOfChoice = (choice >> at) & 0xff;
            uint256 gene = ((byteOfChoice & 1 == 0 ? m : f) >> at) & 0xff;
            if (byteOfChoice > 250) gene = (gene + byteOfChoice) & 0xff;
            child |= gene << at;
        }
        creature = born(child);
    }

    /// Rounds of hashed blows until one has lost its strength.
    function fight(uint256 one, uint256 other, uint256 seed) external {
        uint256 a = known(one);
        uint256 b = known(other);
        uint256 strengthA = 100 + (a & 0xff);
        uint256 strengthB = 100 + (b & 0xff);
        uint256 dice = seed;
        uint256 rounds;
        while (strengthA > 0 && strengthB > 0 && rounds < 64) {
            dice = uint256(keccak256(abi.encode(dice, a, b)));
            uint256 blowA = (dice & 0x1f) + ((a >> 8) & 0xf);
            uint256 blowB = ((dice >> 8) & 0x1f) + ((b >> 8) & 0xf);
            strengthB = strengthB > blowA ? strengthB - blowA : 0;
            if (strengthB > 0) strengthA = strengthA > blowB ? strengthA - blowB : 0;
            rounds++;
        }
        (uint256 winner, uint256 loser) = strengthA >= strengthB ? (one, other) : (other, one);
        wins[winner] += 1;
        emit Fought(winner, loser, rounds);
    }

    function known(uint256 creature) private view returns (uint256 value) {
        value = genes[creature];
        if (value == 0) revert Unborn(creature);
    }

    function born(uint256 value) private returns (uint256 creature) {
        creature = ++minted;
        genes[creature] = value;
        emit Born(creature, msg.sender, value);
    }
}
