// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title Loans against a collateral, and their liquidation when its price falls.
/// @dev Storage layout, which the generators write directly:
///      slot 0  price of the collateral in units of debt, times 1e18
///      slot 1  collateral[borrower]   at keccak256(borrower . 1)
///      slot 2  debt[borrower]         at keccak256(borrower . 2)
///      slot 3  seized[liquidator]     at keccak256(liquidator . 3)
///      slot 4  reserve: debt that was paid back
contract Lending {
    uint256 public price;
    mapping(address borrower => uint256) public collateral;
    mapping(address borrower => uint256) public debt;
    mapping(address liquidator => uint256) public seized;
    uint256 public reserve;

    event Priced(uint256 price);
    event Borrowed(address indexed borrower, uint256 debt);
    event Liquidated(address indexed borrower, address indexed by, uint256 repaid, uint256 seized);

    error Unsafe(address borrower, uint256 health);
    error Healthy(address borrower, uint256 health);

    /// What an oracle says.
    function setPrice(uint256 value) external {
        price = value;
        emit Priced(value);
    }

    /// Borrows more against one's collateral.
    function borrow(uint256 amount) external {
        debt[msg.sender] += amount;
        uint256 h = health(msg.sender);
        if (h < 1.5e18) revert Unsafe(msg.sender, h);
        emit Borrowed(msg.sender, debt[msg.sender]);
    }

    /// Pays half of an unsafe loan and takes collateral for it, with a premium of 5 %.
    function liquidate(address borrower) external {
        uint256 h = health(borrower);
        if (h >= 1.5e18) revert Healthy(borrower, h);
        uint256 repaid = debt[borrower] / 2;
        uint256 taken = repaid * 1.05e18 / price;
        if (taken > collateral[borrower]) taken = collateral[borrower];
        debt[borrower] -= repaid;
        collateral[borrower] -= taken;
        seized[msg.sender] += taken;
        reserve += repaid;
        emit Liquidated(borrower, msg.sender, repaid, taken);
    }

    /// Value of the collateral by the debt, times 1e18.
    function health(address borrower) public view returns (uint256) {
        uint256 owed = debt[borrower];
        return owed == 0 ? type(uint256).max : collateral[borrower] * price / owed;
    }
}
