// The stack pointer stays within the memory, and the frame's words within the stack, where only such opcodes run as the
// checks let pass (checks.sv): enough words, and room.
//
// block: stack
// induction: 2
// search: 6
// break: planned = count_q - 11'h1; => planned = count_q - 11'h3;
// break: base_d = count_q - 11'h2; => base_d = count_q + 11'h2;
// break: ram_we = own > 11'h1; => ram_we = 1'b1;

reg p_begun = 0;
always @(posedge clock) p_begun <= 1;
wire p_none = op == StackOp_None || op == StackOp_Unary && own >= 1;
wire p_one = (op == StackOp_Pop || op == StackOp_Binary) && own >= 1;
wire p_two = op == StackOp_Pop2 && own >= 2;
wire p_push = op == StackOp_Push && count_q < 1024;
wire p_swap = op == StackOp_Swap && distance >= 1 && distance <= 16 && own > distance;
wire p_enter = op == StackOp_Enter && own >= 2;
// A frame that ends gives back the floor of the one around.
wire p_leave = op == 4'h9 && outer <= base_q && base_q <= 1022;
always @(*) begin
    assume (p_begun || op == StackOp_Clear);
    assume (p_none || p_one || p_two || p_push || p_swap || p_enter || p_leave || op == StackOp_Clear);
    if (p_begun) begin
        assert (all <= 1024);
        assert (floor <= all);
        assert (depth == all - floor);
        // What is written belongs to this frame.
        if (ram_we) assert (write_at < all && write_at >= floor);
    end
end
