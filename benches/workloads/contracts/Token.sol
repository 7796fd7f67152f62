// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @title A fungible token (EIP-20) with a batched transfer.
/// @notice Every function runs in one message frame: the token calls nobody.
/// @dev Storage layout, which the generators write directly:
///      slot 0  totalSupply
///      slot 1  balanceOf[owner]            at keccak256(owner . 1)
///      slot 2  allowance[owner][spender]   at keccak256(spender . keccak256(owner . 2))
contract Token {
    string public constant name = "Workload Token";
    string public constant symbol = "WLT";
    uint8 public constant decimals = 18;

    uint256 public totalSupply;
    mapping(address owner => uint256) public balanceOf;
    mapping(address owner => mapping(address spender => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    error InsufficientBalance(address owner, uint256 balance, uint256 needed);
    error InsufficientAllowance(address spender, uint256 allowance, uint256 needed);

    constructor(uint256 supply) {
        totalSupply = supply;
        balanceOf[msg.sender] = supply;
        emit Transfer(address(0), msg.sender, supply);
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
        return true;
    }

    function transfer(address to, uint256 value) external returns (bool) {
        move(msg.sender, to, value);
        return true;
    }

    /// @dev An allowance of the greatest value is endless and is not written.
    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        uint256 allowed = allowance[from][msg.sender];
        if (allowed != type(uint256).max) {
            if (allowed < value) revert InsufficientAllowance(msg.sender, allowed, value);
            unchecked {
                allowance[from][msg.sender] = allowed - value;
            }
        }
        move(from, to, value);
        return true;
    }

    /// @notice Sends `value` to each of the recipients.
    function airdrop(address[] calldata recipients, uint256 value) external returns (bool) {
        for (uint256 i = 0; i < recipients.length; ++i) {
            move(msg.sender, recipients[i], value);
        }
        return true;
    }

    function move(address from, address to, uint256 value) private {
        uint256 balance = balanceOf[from];
        if (balance < value) revert InsufficientBalance(from, balance, value);
        unchecked {
            balanceOf[from] = balance - value;
            // The sum of all balances is totalSupply: this cannot wrap.
            balanceOf[to] += value;
        }
        emit Transfer(from, to, value);
    }
}
