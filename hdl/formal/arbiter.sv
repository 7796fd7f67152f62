// Whoever asks is served: at most after each of the others once. Nobody is served who does not ask.
//
// block: keccak_pool
// module: arbiter
// induction: 4
// search: 8
// break: if (request_1 & (number_1 < last_q)) begin => if (request_1 & (number_1 > last_q)) begin
// break: last_d = chosen; => last_d = last_q;
// break: any = 1'b1; => any = 1'b0;

// One of the askers is watched, and keeps asking.
(* anyconst *) reg [1:0] p_who;
wire [2:0] p_requests = {request_2, request_1, request_0};
reg p_asked = 0;
reg [1:0] p_others = 0;
reg p_begun = 0;
wire [1:0] p_distance = last_q[1:0] > p_who ? last_q[1:0] - p_who : 2'd3 + last_q[1:0] - p_who;
always @(posedge clock) begin
    p_begun <= 1;
    p_asked <= p_requests[p_who] && !(advance && index == p_who) && !reset;
    if (reset || !p_requests[p_who] || (advance && index == p_who)) p_others <= 0;
    else if (advance && any) p_others <= p_others + 1;
end
always @(*) begin
    assume (p_who < 3);
    assume (p_begun || reset);
    // Everybody advances what was chosen, and asks until served.
    if (!any) assume (!advance);
    if (p_asked) assume (p_requests[p_who]);
    assert (any == |p_requests);
    if (any) begin
        assert (index < 3);
        assert (p_requests[index[1:0]]);
    end
    if (p_begun) begin
        assert (last_q < 3);
        // Turns go round downwards: whoever is served before the watched one leaves it fewer of them to wait for.
        assert ({1'b0, p_others} + {1'b0, p_distance} <= 3);
        if (p_distance == 1 && p_asked) assert (index == p_who);
    end
end
