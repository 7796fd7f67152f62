//! An organisation's vote: members delegate what they have, and vote.

use alloy_primitives::U256;

use super::{Kind, Traffic};
use crate::{call::Call, contracts::Voting, world::World};

pub(super) const KIND: Kind = Kind {
    name: "voting",
    summary: "an organisation: members delegate their power, and vote on proposals that are tallied",
    hot_spot: "one proposal: its tally",
    contention: 0.5,
    start: |world, _, _| {
        let voting = Voting::deploy(world);
        let hot_proposal = U256::from(world.random.bits());
        Box::new(Votes {
            voting,
            hot_proposal,
        })
    },
};

struct Votes {
    voting: Voting,
    hot_proposal: U256,
}

impl Traffic for Votes {
    fn next(&mut self, world: &mut World, hot: bool) -> Call {
        let member = self.voting.member(world);
        if !hot && world.random.one_in(2) {
            let to = world.random.address();
            return self.voting.delegate(world, member, to);
        }
        let proposal = if hot {
            self.hot_proposal
        } else {
            U256::from_be_bytes(world.random.word().0)
        };
        let support = world.random.one_in(2);
        self.voting.vote(world, member, proposal, support)
    }
}
