// The submission ring: every entry behind the doorbell is fetched and offered once, in order; nothing is fetched that the
// host has not announced; and it comes to an end.
//
// block: queue
// module: fetch
// induction: 3
// search: 12
// break: if ((enable & !error_q) & (tail != index_q)) begin => if (enable & !error_q) begin
// break: index_d = index_q + one; => index_d = index_q;
// break: low_d = rdat_data; => low_d = low_q;
// break: if (rdat_error | low_failed_q) begin => if (rdat_error) begin

reg p_begun = 0;
// Entries that were offered and taken, and asked for.
reg [15:0] p_offered = 0, p_asked = 0;
reg [15:0] p_announced = 0;
reg [255:0] p_low, p_high;
reg [1:0] p_beats = 0;
reg p_bad = 0;
always @(posedge clock) begin
    p_begun <= 1;
    p_announced <= reset ? 0 : tail;
    if (reset) begin
        p_offered <= 0;
        p_asked <= 0;
        p_beats <= 0;
        p_bad <= 0;
    end else begin
        if (entry_valid && entry_ready) p_offered <= p_offered + 1;
        if (rd_valid && rd_ready) p_asked <= p_asked + 1;
        if (rdat_valid && rdat_ready) begin
            p_beats <= p_beats == 1 ? 0 : p_beats + 1;
            if (p_beats == 0) p_low <= rdat_data;
            else p_high <= rdat_data;
            if (rdat_error) p_bad <= 1;
        end
    end
end
wire [15:0] p_waiting = tail - index_q;
always @(*) begin
    assume (p_begun || reset);
    // The doorbell only moves forward, and not beyond a ring.
    if (p_begun) assume ((tail - index_q) >= (p_announced - index_q) && p_waiting <= 16'd4096);
    if (reset) assume (tail == 0);
    if (p_begun) begin
        assert (state_q <= 4);
        // Head and what was offered differ by the entry that is held.
        assert (index_q == p_offered + {15'd0, entry_valid});
        assert (!(entry_valid && (rd_valid || rdat_ready)));
        if (rd_valid) assert (p_waiting != 0 && rd_addr == base + {42'd0, index_q & mask, 6'd0} && rd_beats == 2);
        if (entry_valid) assert (entry_low == p_low && entry_high == p_high);
        // An entry with an error is not offered, and the ring stands still from then on.
        if (failed) assert (p_bad && state_q == 0);
        if (entry_valid) assert (!p_bad);
        if (p_bad) assert (failed || state_q == 3);
        assert (p_beats == {1'b0, state_q == 3});
        if (state_q == 2) assert (p_waiting != 0);
        if (state_q == 3) assert (p_waiting != 0 && low_q == p_low && low_failed_q == p_bad);
    end
end
