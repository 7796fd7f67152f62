// An opcode passes only with the words that it needs and room for what it leaves; what does not pass ends the frame or
// the message; and only one of the three.
//
// block: lane
// module: checks
// induction: 1
// search: 2
// break: if (!(depth < pops)) begin => if (1'b1) begin
// break: if (!(op[8] & depth[10])) begin => if (1'b1) begin
// break: if (charges & lacks_charge) begin => if (charges) begin

wire [4:0] p_pops = instr[7:3];
wire p_grows = instr[8];
always @(*) begin
    assume (depth <= 1024);
    // A word is an opcode's first, a later one, or fetches.
    assume ({1'b0, entry} + {1'b0, fetch} <= 1);
    if (passed) begin
        assert (depth >= p_pops);
        if (p_grows) assert (depth < 1024 && !full);
        assert (instr[0] && enabled && !lacks);
        assert (!(instr[2] && is_static));
        if (!charges) assert (!halts);
        assert (!traps);
    end
    if (entry && !passed) assert (halts || traps);
    if (halts && !fetch && !(charges && lacks_charge)) assert (!traps);
    if (charges && lacks_charge) assert (halts);
    if (!entry && !fetch && !(charges && lacks_charge)) assert (!halts && !traps && !passed);
end
