//! A game: creatures are minted, bred, and fight.

use alloy_primitives::U256;

use super::{Kind, Traffic};
use crate::{call::Call, contracts::Game, world::World};

pub(super) const KIND: Kind = Kind {
    name: "game",
    summary: "a game over hashed attributes: mint, breed (both count up one number), fight",
    hot_spot: "one champion that everybody fights: its wins",
    contention: 0.1,
    start: |world, _, _| {
        let game = Game::deploy(world);
        let champion = game.creature(world);
        // Stronger than anybody, so that it is this one's wins that go up.
        let genes = U256::MAX;
        world.store(game.address, Game::genes_slot(champion), genes);
        Box::new(Arena { game, champion })
    },
};

struct Arena {
    game: Game,
    champion: U256,
}

impl Traffic for Arena {
    fn next(&mut self, world: &mut World, hot: bool) -> Call {
        let from = world.sender();
        let seed = U256::from_be_bytes(world.random.word().0);
        if hot {
            let other = self.game.creature(world);
            return self.game.fight(from, self.champion, other, seed);
        }
        match world.random.between(0, 9) {
            0 => self.game.mint(from, seed),
            1 | 2 => {
                let (mother, father) = (self.game.creature(world), self.game.creature(world));
                self.game.breed(from, mother, father, seed)
            }
            _ => {
                let (one, other) = (self.game.creature(world), self.game.creature(world));
                self.game.fight(from, one, other, seed)
            }
        }
    }
}
