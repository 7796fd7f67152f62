// The completion ring: every completion that is taken is written once, in order, to its entry with its round's phase;
// never over one that the host has not read; and who waits is taken while there is room.
//
// block: queue
// module: completions
// induction: 3
// search: 8
// break: assign room = used <= mask; => assign room = 1'b1;
// break: if (round[0]) begin => if (!round[0]) begin
// break: issued_d = issued_q + one; => issued_d = issued_q;
// break: assign trap_chosen = (accept & trap_valid) & !(trap_last_q & arbiter_any); => assign trap_chosen = (accept & trap_valid);
// break: full_d = 1'b1; => full_d = trap_chosen;

wire p_takes = (trap_valid && trap_ready) || (cpl_valid_0 && cpl_ready_0) || (cpl_valid_1 && cpl_ready_1)
    || (cancelled_valid_0 && cancelled_ready_0) || (cancelled_valid_1 && cancelled_ready_1);
wire [2:0] p_count = {2'b0, trap_ready && trap_valid} + {2'b0, cpl_ready_0} + {2'b0, cpl_ready_1}
    + {2'b0, cancelled_ready_0} + {2'b0, cancelled_ready_1};
wire [31:0] p_id = cpl_ready_0 ? cpl_id_0 : cpl_ready_1 ? cpl_id_1
    : cancelled_ready_0 ? cancelled_id_0 : cancelled_ready_1 ? cancelled_id_1 : trap_id;
reg p_begun = 0;
reg [15:0] p_taken = 0;
reg [31:0] p_last = 0;
reg p_trap_waits = 0, p_lane_waits = 0;
reg [15:0] p_head;
reg [3:0] p_size;
reg [63:0] p_base;
always @(posedge clock) begin
    p_begun <= 1;
    p_head <= head;
    p_size <= size;
    p_base <= base;
    if (reset) p_taken <= 0;
    else if (p_takes) begin
        p_taken <= p_taken + 1;
        p_last <= p_id;
    end
    // Who was passed over by the last one that was taken.
    if (reset) begin
        p_trap_waits <= 0;
        p_lane_waits <= 0;
    end else if (p_takes) begin
        p_trap_waits <= trap_valid && !trap_ready;
        p_lane_waits <= (cpl_valid_0 || cancelled_valid_0 || cpl_valid_1 || cancelled_valid_1) && trap_ready;
    end
end
wire [15:0] p_used = issued_q - head;
always @(*) begin
    assume (p_begun || reset);
    assume (size >= 1 && size <= 12 && mask == (16'd1 << size) - 16'd1);
    if (p_begun && !reset) begin
        // The ring is set up before it runs, and the host reads only what was issued.
        assume (size == p_size && base == p_base);
        assume ((head - p_head) <= (issued_q - p_head));
        assume (p_used <= mask + 16'd1);
    end
    if (reset) assume (head == 0);
    if (p_begun) begin
        assert (p_count <= 1);
        // Not lost, not doubled: what was taken is issued, or is held.
        assert (p_taken == issued_q + {15'd0, full_q});
        assert (wr_valid == full_q);
        if (full_q) assert (wr_high[31:0] == p_last);
        // Not over what was not read.
        if (wr_valid && !reset) assert (p_used <= mask);
        if (wr_valid && !reset) begin
            assert (wr_addr == base + {42'd0, issued_q & mask, 6'd0});
            // The first round's phase is 1.
            assert (wr_high[224] == !issued_q[size]);
        end
        // No deadlock, and a trap and a lane do not starve each other.
        if (enable && !failed && !full_q && p_used <= mask
            && (trap_valid || cpl_valid_0 || cpl_valid_1 || cancelled_valid_0 || cancelled_valid_1)) assert (p_takes);
        assert (!p_trap_waits || !trap_last_q);
        assert (!p_lane_waits || trap_last_q);
        if (p_trap_waits && p_takes && trap_valid) assert (trap_ready);
        if (p_lane_waits && p_takes && (cpl_valid_0 || cancelled_valid_0 || cpl_valid_1 || cancelled_valid_1)) assert (!trap_ready);
    end
end
