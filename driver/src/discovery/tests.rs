use std::os::unix::fs::symlink;

use super::*;

const ADDRESS: PciAddress = PciAddress {
    segment: 0,
    bus: 3,
    device: 0,
    function: 0,
};
const SIZES: [u64; 6] = [4096, 0, 4096, 0, 1 << 33, 0];

/// A card's configuration space, with a wide BAR 4 and I/O in none.
fn card() -> [u8; 256] {
    let mut c = [0; 256];
    let mut put = |at: usize, bytes: &[u8]| c[at..at + bytes.len()].copy_from_slice(bytes);
    put(0x00, &pci::VENDOR.to_le_bytes());
    put(0x02, &pci::DEVICE.to_le_bytes());
    put(0x06, &[0x10]);
    put(0x08, &[4, 0, 0, 0x12]);
    put(0x10, &0xfe00_0000u32.to_le_bytes());
    put(0x18, &0xfe00_1000u32.to_le_bytes());
    put(0x20, &0x0000_000cu32.to_le_bytes());
    put(0x24, &0x0000_0040u32.to_le_bytes());
    put(0x2c, &pci::SUBSYSTEM_VENDOR.to_le_bytes());
    put(0x2e, &pci::SUBSYSTEM.to_le_bytes());
    put(0x34, &[0x40]);
    put(0x40, &[0x10, 0x80, 2, 0, 0, 0x80, 0, 0x10]);
    put(0x80, &[0x11, 0, 15, 0, 2, 0, 0, 0, 2, 8, 0, 0]);
    c
}

#[test]
fn a_cards_configuration_space_is_decoded() {
    let endpoint = Endpoint::decode(ADDRESS, &card(), SIZES).unwrap();
    let bar = |index, kind, address, size| Bar {
        index,
        kind,
        address,
        size,
    };
    let want = Endpoint {
        vendor: pci::VENDOR,
        device: pci::DEVICE,
        subsystem: (pci::SUBSYSTEM_VENDOR, pci::SUBSYSTEM),
        class: pci::CLASS,
        revision: 4,
        bars: vec![
            bar(0, BarKind::Memory32, 0xfe00_0000, 4096),
            bar(2, BarKind::Memory32, 0xfe00_1000, 4096),
            bar(4, BarKind::Memory64, 0x40_0000_0000, 1 << 33),
        ],
        capabilities: Some(vec![0x10, 0x11]),
        msix_vectors: Some(16),
        resets: true,
    };
    assert_eq!(endpoint, want);
    // Without privileges the kernel shows the header alone.
    let header = Endpoint::decode(ADDRESS, &card()[..64], SIZES).unwrap();
    assert_eq!((header.capabilities, header.msix_vectors), (None, None));
    assert_eq!(header.bars, want.bars);
}

#[test]
fn hostile_configuration_spaces_are_refused() {
    let with = |at: usize, bytes: &[u8]| {
        let mut c = card();
        c[at..at + bytes.len()].copy_from_slice(bytes);
        Endpoint::decode(ADDRESS, &c, SIZES).unwrap_err()
    };
    assert_eq!(with(0, &[0xff; 4]), ConfigError::Gone);
    assert_eq!(with(0x0e, &[0x81]), ConfigError::NoEndpoint(1), "a bridge");
    assert_eq!(with(0x0e, &[2]), ConfigError::NoEndpoint(2), "CardBus");
    // Reserved kinds of BAR, and a wide one in the last place.
    for (bar, kind) in [(0, 2), (0, 6), (2, 6), (5, 4)] {
        let mut c = card();
        c[0x20] = 0;
        c[0x10 + 4 * bar] = kind;
        let refused = Endpoint::decode(ADDRESS, &c, [0; 6]);
        assert!(
            matches!(refused, Err(ConfigError::Bar { bar: b, .. }) if b == bar),
            "{bar} {kind}"
        );
    }
    // Circles, backwards, out of bounds, into the header, unaligned.
    assert_eq!(with(0x81, &[0x40]), ConfigError::Capabilities(0x40));
    assert_eq!(with(0x41, &[0x40]), ConfigError::Capabilities(0x40));
    assert_eq!(with(0x34, &[0x04]), ConfigError::Capabilities(0x04));
    assert_eq!(with(0x34, &[0x42]), ConfigError::Capabilities(0x42));
    let mut c = card();
    (c[0x41], c[0xf8]) = (0xf8, 0x11);
    let refused = Endpoint::decode(ADDRESS, &c, SIZES);
    assert_eq!(
        refused,
        Err(ConfigError::Capabilities(0xf8)),
        "over the end"
    );
    // MSI-X tables beyond their BAR, in none, and in half of a wide one.
    for (bar, offset) in [
        (2, 0x0f08),
        (2, 0xffff_fff8),
        (1, 0),
        (5, 0),
        (6, 0),
        (7, 0),
    ] {
        let refused = with(0x84, &(offset | bar as u32).to_le_bytes());
        assert!(
            matches!(refused, ConfigError::MsixTable { .. }),
            "{bar} {offset:#x}"
        );
    }
    let short = Endpoint::decode(ADDRESS, &card()[..63], SIZES);
    assert_eq!(short, Err(ConfigError::Short(63)));
}

#[test]
fn impossible_sizes_are_refused_and_absent_bars_left_out() {
    for (bar, size) in [(0, 3), (0, 4097), (0, 1 << 32), (2, u64::MAX), (4, 12)] {
        let mut sizes = SIZES;
        sizes[bar] = size;
        let refused = Endpoint::decode(ADDRESS, &card(), sizes);
        assert!(
            matches!(refused, Err(ConfigError::Bar { bar: b, .. }) if b == bar),
            "{bar} {size}"
        );
    }
    let mut c = card();
    c[0x06] = 0;
    let none = Endpoint::decode(ADDRESS, &c, [0; 6]).unwrap();
    assert_eq!((none.bars, none.capabilities), (vec![], Some(vec![])));
    let mut sizes = SIZES;
    sizes[4] = 1 << 63;
    let wide = Endpoint::decode(ADDRESS, &card(), sizes).unwrap();
    assert_eq!(wide.bars[2].size, 1 << 63);
}

#[test]
fn no_byte_of_configuration_space_makes_decoding_panic_or_run_on() {
    for at in 0..256 {
        for byte in 0..=255 {
            let mut c = card();
            c[at] = byte;
            let _ = Endpoint::decode(ADDRESS, &c, SIZES);
            let _ = Endpoint::decode(ADDRESS, &c, [0; 6]);
        }
    }
}

#[test]
fn functions_are_listed_with_what_the_kernel_knows() {
    let root = std::env::temp_dir().join(format!("gatewei-sysfs-{}", std::process::id()));
    let devices = root.join("bus/pci/devices");
    let make = |address: &str, vendor: u16, device: u16| {
        let place = devices.join(address);
        fs::create_dir_all(&place).unwrap();
        fs::write(place.join("vendor"), format!("{vendor:#06x}\n")).unwrap();
        fs::write(place.join("device"), format!("{device:#06x}\n")).unwrap();
        place
    };
    let place = make("0000:03:00.0", pci::VENDOR, pci::DEVICE);
    fs::write(place.join("config"), card()).unwrap();
    let resource = "0xfe000000 0xfe000fff 0x40200\n0x0 0x0 0x0\n0xfe001000 0xfe001fff 0x40200\n\
                    0x0 0x0 0x0\n0x4000000000 0x41ffffffff 0x14220c\n";
    fs::write(place.join("resource"), resource).unwrap();
    fs::write(place.join("numa_node"), "1\n").unwrap();
    for (name, text) in [
        ("current_link_speed", "8.0 GT/s PCIe\n"),
        ("current_link_width", "8\n"),
        ("max_link_speed", "16.0 GT/s PCIe\n"),
        ("max_link_width", "16\n"),
    ] {
        fs::write(place.join(name), text).unwrap();
    }
    symlink("../../../kernel/iommu_groups/17", place.join("iommu_group")).unwrap();
    symlink("../../../bus/pci/drivers/vfio-pci", place.join("driver")).unwrap();
    let other = make("0000:00:1f.3", 0x8086, 0x1234);
    fs::write(other.join("numa_node"), "-1\n").unwrap();
    fs::create_dir_all(devices.join("not-an-address")).unwrap();

    let functions = Sysfs::new(&root).functions().unwrap();
    let [other, card] = &functions[..] else {
        panic!("{functions:?}");
    };
    assert_eq!(other.address.to_string(), "0000:00:1f.3");
    assert!(!other.is_card() && other.driver.is_none() && other.numa_node.is_none());
    assert_eq!(other.endpoint, Err(ConfigError::Short(0)));
    assert!(card.is_card() && card.address == ADDRESS);
    assert_eq!(card.driver.as_deref(), Some("vfio-pci"));
    assert_eq!(
        (card.group.as_deref(), card.numa_node),
        (Some("17"), Some(1))
    );
    let link = card.link.as_ref().unwrap();
    assert_eq!((&link.speed[..], &link.width[..]), ("8.0 GT/s PCIe", "8"));
    assert_eq!(
        (&link.max_speed[..], &link.max_width[..]),
        ("16.0 GT/s PCIe", "16")
    );
    let endpoint = card.endpoint.as_ref().unwrap();
    assert_eq!((endpoint.bars.len(), endpoint.msix_vectors), (3, Some(16)));
    fs::remove_dir_all(&root).unwrap();
    let none = Sysfs::new(&root).functions().unwrap_err().to_string();
    assert!(none.contains("is sysfs mounted"), "{none}");
}
