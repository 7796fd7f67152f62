// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

interface IToken {
    function transferFrom(address from, address to, uint256 value) external returns (bool);
}

interface IPool {
    function token0() external view returns (IToken);
    function token1() external view returns (IToken);
    function getReserves() external view returns (uint112, uint112, uint32);
    function swap(uint256 out0, uint256 out1, address to) external;
}

/// @title Swaps along a path of pools.
/// @dev Keeps no state. The caller has approved the router for the input token.
contract Router {
    error Expired();
    error EmptyPath();
    error NotInPool(address token, address pool);
    error TransferFailed(address token);
    error TooLittleOut(uint256 amount, uint256 least);

    /// @notice Sells `amount` of `token` through `pools`, one after the other.
    /// @param least the smallest output that the caller accepts
    /// @param deadline the last block timestamp at which this may run, in seconds
    /// @return the output, which `to` has received
    function swap(
        IPool[] calldata pools,
        IToken token,
        uint256 amount,
        uint256 least,
        address to,
        uint256 deadline
    ) external returns (uint256) {
        if (block.timestamp > deadline) revert Expired();
        if (pools.length == 0) revert EmptyPath();
        if (!token.transferFrom(msg.sender, address(pools[0]), amount)) {
            revert TransferFailed(address(token));
        }
        for (uint256 i = 0; i < pools.length; ++i) {
            address next = i + 1 < pools.length ? address(pools[i + 1]) : to;
            (token, amount) = hop(pools[i], token, amount, next);
        }
        if (amount < least) revert TooLittleOut(amount, least);
        return amount;
    }

    /// @notice What a pool pays for `amount`: constant product after a fee of 0.3 %.
    function quote(uint256 amount, uint256 reserveIn, uint256 reserveOut) public pure returns (uint256) {
        uint256 net = amount * 997;
        return (net * reserveOut) / (reserveIn * 1000 + net);
    }

    function hop(IPool pool, IToken token, uint256 amount, address to) private returns (IToken, uint256) {
        IToken token0 = pool.token0();
        IToken token1 = pool.token1();
        (uint256 reserve0, uint256 reserve1, ) = pool.getReserves();
        if (token == token0) {
            amount = quote(amount, reserve0, reserve1);
            pool.swap(0, amount, to);
            return (token1, amount);
        }
        if (token != token1) revert NotInPool(address(token), address(pool));
        amount = quote(amount, reserve1, reserve0);
        pool.swap(amount, 0, to);
        return (token0, amount);
    }
}
