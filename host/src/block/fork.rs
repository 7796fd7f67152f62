//! Which rules a block runs under: Ethereum mainnet's schedule, Frontier to Osaka, by block number and timestamp.

use std::{fmt, str::FromStr};

use alloy_consensus::Header;
use alloy_eips::eip7840::BlobParams;
use alloy_evm::{
    EvmEnv,
    eth::spec::{EthExecutorSpec as _, EthSpec},
};
use alloy_hardforks::{EthereumHardfork, EthereumHardforks as _, ForkCondition};
use alloy_primitives::Address;
use revm::primitives::hardfork::SpecId;

/// Chain id of Ethereum mainnet (EIP-155).
pub const MAINNET: u64 = 1;

/// Names of the forks that change execution, oldest first, with what other tools call them.
const NAMES: &[(SpecId, &str, &[&str])] = &[
    (SpecId::FRONTIER, "Frontier", &[]),
    (SpecId::HOMESTEAD, "Homestead", &[]),
    (
        SpecId::TANGERINE,
        "Tangerine",
        &["EIP150", "TangerineWhistle"],
    ),
    (
        SpecId::SPURIOUS_DRAGON,
        "SpuriousDragon",
        &["EIP158", "Spurious"],
    ),
    (SpecId::BYZANTIUM, "Byzantium", &[]),
    (SpecId::PETERSBURG, "Petersburg", &["ConstantinopleFix"]),
    (SpecId::ISTANBUL, "Istanbul", &["MuirGlacier"]),
    (SpecId::BERLIN, "Berlin", &[]),
    (SpecId::LONDON, "London", &["ArrowGlacier", "GrayGlacier"]),
    (SpecId::MERGE, "Paris", &["Merge"]),
    (SpecId::SHANGHAI, "Shanghai", &[]),
    (SpecId::CANCUN, "Cancun", &[]),
    (SpecId::PRAGUE, "Prague", &[]),
    (SpecId::OSAKA, "Osaka", &[]),
];

/// A fork that changes execution, from Frontier to Osaka.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fork(SpecId);

/// A name that is no fork's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no fork `{name}`; the forks are: {}", names())]
pub struct UnknownFork {
    /// The name that was given.
    pub name: String,
}

fn names() -> String {
    let names: Vec<_> = NAMES.iter().map(|(_, name, _)| *name).collect();
    names.join(", ")
}

impl Fork {
    /// The fork with these rules; `None` after Osaka.
    pub fn new(spec: SpecId) -> Option<Self> {
        NAMES
            .iter()
            .any(|(known, ..)| *known == spec)
            .then_some(Self(spec))
    }

    /// Every fork, oldest first.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().map(|(spec, ..)| Self(*spec))
    }

    /// Its rules as revm names them.
    pub fn spec(self) -> SpecId {
        self.0
    }

    /// Its usual name: `Cancun`.
    pub fn name(self) -> &'static str {
        NAMES
            .iter()
            .find(|(spec, ..)| *spec == self.0)
            .map_or("unknown", |(_, name, _)| name)
    }
}

impl fmt::Display for Fork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Fork {
    type Err = UnknownFork;

    /// Reads a name in any case, also those of the public tests (`EIP158`, `ConstantinopleFix`, `Merge`).
    fn from_str(name: &str) -> Result<Self, UnknownFork> {
        let is = |known: &str| known.eq_ignore_ascii_case(name);
        NAMES
            .iter()
            .find(|(_, own, others)| is(own) || others.iter().any(|other| is(other)))
            .map(|(spec, ..)| Self(*spec))
            .ok_or_else(|| UnknownFork {
                name: name.to_owned(),
            })
    }
}

/// Mainnet's schedule of forks, as alloy-evm's executor wants it.
#[derive(Clone, Debug)]
pub struct Chain(EthSpec);

impl Chain {
    /// Ethereum mainnet.
    pub fn mainnet() -> Self {
        Self(EthSpec::mainnet())
    }

    /// A chain with this schedule.
    pub fn new(spec: EthSpec) -> Self {
        Self(spec)
    }

    /// The schedule.
    pub fn spec(&self) -> &EthSpec {
        &self.0
    }

    /// Blob parameters at a time (EIP-7840), with the increases of EIP-7892; `None` before Cancun.
    pub fn blob_params(&self, timestamp: u64) -> Option<BlobParams> {
        let active = |fork| {
            self.0
                .ethereum_fork_activation(fork)
                .active_at_timestamp(timestamp)
        };
        let schedule: [(EthereumHardfork, fn() -> BlobParams); 5] = [
            (EthereumHardfork::Bpo2, BlobParams::bpo2),
            (EthereumHardfork::Bpo1, BlobParams::bpo1),
            (EthereumHardfork::Osaka, BlobParams::osaka),
            (EthereumHardfork::Prague, BlobParams::prague),
            (EthereumHardfork::Cancun, BlobParams::cancun),
        ];
        schedule
            .into_iter()
            .find(|(fork, _)| active(*fork))
            .map(|(_, params)| params())
    }

    /// Configuration and block environment of revm for a header.
    pub fn environment(&self, header: &Header) -> EvmEnv<SpecId> {
        let blobs = self.blob_params(header.timestamp);
        EvmEnv::for_eth_block(header, &self.0, MAINNET, blobs)
    }

    /// Whether the DAO's irregular state change (EIP-779) happens in this block.
    pub fn is_dao_block(&self, number: u64) -> bool {
        let activation = self.0.ethereum_fork_activation(EthereumHardfork::Dao);
        matches!(activation, ForkCondition::Block(at) if at == number)
    }

    /// The deposit contract, whose logs are requests (EIP-6110).
    pub fn deposit_contract(&self) -> Option<Address> {
        self.0.deposit_contract_address()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_any_case_and_by_their_other_names() {
        assert_eq!("cancun".parse::<Fork>().map(Fork::spec), Ok(SpecId::CANCUN));
        assert_eq!("Merge".parse::<Fork>().map(Fork::name), Ok("Paris"));
        let unknown = "Cancan".parse::<Fork>().map_err(|error| error.to_string());
        assert!(unknown.is_err_and(|text| text.contains("Cancan") && text.contains("Osaka")));
        for fork in Fork::all() {
            assert_eq!(fork.name().parse(), Ok(fork));
        }
    }

    #[test]
    fn blob_parameters_follow_mainnets_schedule() {
        let chain = Chain::mainnet();
        let max = |timestamp| {
            chain
                .blob_params(timestamp)
                .map(|params| params.max_blob_count)
        };
        assert_eq!(max(1_710_338_123), None); // block 19426586, the last of Shanghai
        assert_eq!(max(1_710_338_135), Some(6)); // Cancun
        assert_eq!(max(1_746_612_311), Some(9)); // Prague
        assert_eq!(max(1_764_798_551), Some(9)); // Osaka
        assert_eq!(max(1_765_290_071), Some(15)); // BPO1
        assert_eq!(max(1_767_747_671), Some(21)); // BPO2
    }
}
