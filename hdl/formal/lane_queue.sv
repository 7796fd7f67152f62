// Commands come out once each, in order, as they went in; a cancelled one comes out as cancelled; nothing gets stuck.
//
// block: lane_queue
// induction: 3
// search: 10
// break: write_d = write_q + one; => write_d = write_q;
// break: if (cancel_valid & (id_0_q == cancel_id)) begin => if (1'b0) begin
// break: assign is_full = count == depth; => assign is_full = 1'b0;
// break: assign read_slot = read_q[1:0]; => assign read_slot = ~read_q[1:0];

// Any one command is watched from the cycle in which it enters.
(* anyseq *) wire p_choose;
wire p_enters = push && !full;
wire p_leaves = (cmd_valid && cmd_ready) || (cancelled_valid && cancelled_ready);
reg p_begun = 0;
reg p_watching = 0, p_done = 0, p_cancelled = 0;
reg [2:0] p_ahead = 0;
reg [191:0] p_command;
wire [1:0] p_slot = read_q[1:0] + p_ahead[1:0];
wire [191:0] p_stored =
    p_slot == 0 ? {id_0_q, address_0_q, result_0_q, capacity_0_q} :
    p_slot == 1 ? {id_1_q, address_1_q, result_1_q, capacity_1_q} :
    p_slot == 2 ? {id_2_q, address_2_q, result_2_q, capacity_2_q} :
                  {id_3_q, address_3_q, result_3_q, capacity_3_q};
wire p_marked = p_slot == 0 ? cancelled_0_q : p_slot == 1 ? cancelled_1_q : p_slot == 2 ? cancelled_2_q : cancelled_3_q;
always @(posedge clock) begin
    p_begun <= 1;
    if (reset) begin
        p_watching <= 0;
        p_done <= 0;
    end else if (p_enters && p_choose && !p_watching && !p_done) begin
        p_watching <= 1;
        p_command <= {push_id, push_address, push_result, push_capacity};
        p_ahead <= queued[2:0] - p_leaves;
        p_cancelled <= 0;
    end else if (p_watching) begin
        if (p_leaves && p_ahead == 0) begin
            p_watching <= 0;
            p_done <= 1;
        end
        if (p_leaves && p_ahead != 0) p_ahead <= p_ahead - 1;
        if (cancel_valid && cancel_id == p_command[191:160]) p_cancelled <= 1;
    end
end
always @(*) begin
    assume (p_begun || reset);
    if (p_begun) begin
        assert (queued <= 4);
        assert (full == (queued == 4));
        assert (!(cmd_valid && cancelled_valid));
        // No deadlock: what waits is offered, except in the very cycle of a cancel.
        if (queued != 0 && !cancel_valid) assert (cmd_valid || cancelled_valid);
        if (queued == 0) assert (!cmd_valid && !cancelled_valid);
        if (cancel_valid) assert (!cmd_valid);
        if (p_watching) begin
            // Not lost, and not overtaken.
            assert (p_ahead < queued);
            assert (p_stored == p_command);
            assert (p_marked == p_cancelled);
            if (p_ahead == 0) begin
                assert (cancelled_valid == p_cancelled);
                if (cmd_valid) assert ({cmd_id, cmd_address, cmd_result, cmd_capacity} == p_command);
                if (cancelled_valid) assert (cmd_id == p_command[191:160]);
            end
        end
    end
end
