// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function balanceOf(address owner) external view returns (uint256);
    function transfer(address to, uint256 value) external returns (bool);
}

/// @title A constant-product pool of two tokens, with a fee of 0.3 %.
/// @dev Storage layout, which the generators write directly:
///      slot 0  token0
///      slot 1  token1
///      slot 2  reserve0 (bits 0..112), reserve1 (bits 112..224), updated (bits 224..256)
///      slot 3  totalShares
///      slot 4  shares[owner]               at keccak256(owner . 4)
contract Pool {
    IToken public token0;
    IToken public token1;
    uint112 public reserve0;
    uint112 public reserve1;
    /// Timestamp of the last change, in seconds modulo 2^32.
    uint32 public updated;
    uint256 public totalShares;
    mapping(address owner => uint256) public shares;

    /// One call at a time; forgotten at the end of the transaction (EIP-1153).
    bool private transient locked;

    event Mint(address indexed owner, uint256 amount0, uint256 amount1, uint256 minted);
    event Burn(address indexed owner, uint256 amount0, uint256 amount1, uint256 burned);
    event Swap(address indexed sender, uint256 in0, uint256 in1, uint256 out0, uint256 out1, address indexed to);
    event Sync(uint112 reserve0, uint112 reserve1);

    error Locked();
    error NothingOut();
    error NothingIn();
    error NoLiquidity();
    error ProductFell();
    error TransferFailed(address token);
    error ReserveOverflow();

    modifier lock() {
        if (locked) revert Locked();
        locked = true;
        _;
        locked = false;
    }

    constructor(IToken first, IToken second) {
        token0 = first;
        token1 = second;
    }

    function getReserves() external view returns (uint112, uint112, uint32) {
        return (reserve0, reserve1, updated);
    }

    /// @notice Turns the tokens that arrived since the last call into shares of `owner`.
    function mint(address owner) external lock returns (uint256 minted) {
        uint256 balance0 = token0.balanceOf(address(this));
        uint256 balance1 = token1.balanceOf(address(this));
        uint256 amount0 = balance0 - reserve0;
        uint256 amount1 = balance1 - reserve1;
        if (totalShares == 0) {
            minted = root(amount0 * amount1);
        } else {
            uint256 by0 = (amount0 * totalShares) / reserve0;
            uint256 by1 = (amount1 * totalShares) / reserve1;
            minted = by0 < by1 ? by0 : by1;
        }
        if (minted == 0) revert NothingIn();
        totalShares += minted;
        shares[owner] += minted;
        sync(balance0, balance1);
        emit Mint(owner, amount0, amount1, minted);
    }

    /// @notice Gives the caller's share of both reserves back.
    function burn(uint256 burned) external lock returns (uint256 amount0, uint256 amount1) {
        if (burned == 0 || totalShares == 0) revert NoLiquidity();
        uint256 balance0 = token0.balanceOf(address(this));
        uint256 balance1 = token1.balanceOf(address(this));
        amount0 = (burned * balance0) / totalShares;
        amount1 = (burned * balance1) / totalShares;
        shares[msg.sender] -= burned;
        totalShares -= burned;
        send(token0, msg.sender, amount0);
        send(token1, msg.sender, amount1);
        sync(balance0 - amount0, balance1 - amount1);
        emit Burn(msg.sender, amount0, amount1, burned);
    }

    /// @notice Pays the amounts out; the input must have arrived before.
    function swap(uint256 out0, uint256 out1, address to) external lock {
        if (out0 == 0 && out1 == 0) revert NothingOut();
        (uint256 before0, uint256 before1) = (reserve0, reserve1);
        if (out0 >= before0 || out1 >= before1) revert NoLiquidity();
        if (out0 > 0) send(token0, to, out0);
        if (out1 > 0) send(token1, to, out1);

        uint256 balance0 = token0.balanceOf(address(this));
        uint256 balance1 = token1.balanceOf(address(this));
        uint256 in0 = balance0 > before0 - out0 ? balance0 - (before0 - out0) : 0;
        uint256 in1 = balance1 > before1 - out1 ? balance1 - (before1 - out1) : 0;
        if (in0 == 0 && in1 == 0) revert NothingIn();
        uint256 net0 = balance0 * 1000 - in0 * 3;
        uint256 net1 = balance1 * 1000 - in1 * 3;
        if (net0 * net1 < before0 * before1 * 1_000_000) revert ProductFell();

        sync(balance0, balance1);
        emit Swap(msg.sender, in0, in1, out0, out1, to);
    }

    function sync(uint256 balance0, uint256 balance1) private {
        if (balance0 > type(uint112).max || balance1 > type(uint112).max) revert ReserveOverflow();
        reserve0 = uint112(balance0);
        reserve1 = uint112(balance1);
        updated = uint32(block.timestamp);
        emit Sync(uint112(balance0), uint112(balance1));
    }

    function send(IToken token, address to, uint256 value) private {
        if (!token.transfer(to, value)) revert TransferFailed(address(token));
    }

    /// @dev Integer square root by Newton's method.
    function root(uint256 value) private pure returns (uint256 guess) {
        if (value == 0) return 0;
        guess = value;
        uint256 next = value / 2 + 1;
        while (next < guess) {
            guess = next;
            next = (value / next + next) / 2;
        }
    }
}
