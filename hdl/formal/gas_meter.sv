// Gas is never charged beyond what is left, and never wraps.
//
// block: gas_meter
// induction: 2
// search: 4
// break: assign missing = left_q < cost; => assign missing = 1'b0;
// break: if (charge & !missing) begin => if (charge) begin
// break: if (grant_q > most) begin => if (grant_q < most) begin

// The steps of a call replace the counter; every other word leaves it to the charge.
wire p_replaces = act == Act_Start || act == Act_Enter || act == Act_Refill || act == Act_LoadMachine;
reg p_past = 0;
reg p_charged, p_lacks, p_forward, p_one;
reg [63:0] p_gas, p_cost;
reg [3:0] p_also;
always @(posedge clock) begin
    p_past <= 1;
    p_charged <= charge && !p_replaces;
    p_lacks <= lacks;
    p_one <= one;
    p_gas <= gas;
    p_cost <= cost;
    p_also <= also;
    p_forward <= act == Act_Forward;
end
// What goes with a PUSH of 3 does so where there is gas for 32 at least.
always @(*) assume (also == 0 || (gas >= 32 && cost <= 16));
always @(*) assume (!one || (gas >= 1 && !charge && !p_replaces));
always @(*) begin
    assert (lacks == ({1'b0, gas} < {1'b0, cost}));
    if (!lacks) assert ({1'b0, after} + {1'b0, cost} == {1'b0, gas});
    if (p_past && p_charged) begin
        if (p_lacks) assert (gas == p_gas);
        else assert ({1'b0, gas} + {1'b0, p_cost} + p_also == {1'b0, p_gas});
        assert (gas <= p_gas);
    end
    if (p_past && p_one) assert (gas == p_gas - 1);
    // EIP-150: a callee gets all but a 64th at most.
    if (p_past && p_forward) assert (granted <= p_gas - (p_gas >> 6));
end
