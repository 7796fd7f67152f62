use super::*;

/// What is mapped, and the most that may be at once.
struct Domain {
    mapped: BTreeMap<u64, usize>,
    most: usize,
}

impl Domain {
    fn new(most: usize) -> Self {
        let mapped = BTreeMap::new();
        Self { mapped, most }
    }
}

impl Mapper for Domain {
    fn map(&mut self, memory: &Mapping, bus: u64) -> Result<(), String> {
        if self.mapped.len() == self.most {
            return Err("full".into());
        }
        let end = bus + memory.len() as u64;
        let overlaps = |(at, len): (&u64, &usize)| *at < end && bus < at + *len as u64;
        assert!(!self.mapped.iter().any(overlaps), "{bus:#x}");
        self.mapped.insert(bus, memory.len());
        Ok(())
    }

    fn unmap(&mut self, memory: &Mapping, bus: u64) -> Result<(), String> {
        assert_eq!(self.mapped.remove(&bus), Some(memory.len()));
        Ok(())
    }
}

const WINDOWS: [RangeInclusive<u64>; 2] = [0..=0x7f_ffff, 0x1_0000_1000..=0x2_0000_0000];

#[test]
fn buffers_are_aligned_zeroed_and_apart() {
    let (mut arena, mut domain) = (Arena::new(WINDOWS.to_vec()), Domain::new(9));
    let mut ends = 0;
    for (bytes, align) in [(1, 8), (100, 64), (8192, 8192), (5000, 1 << 20), (64, 64)] {
        let buffer = arena.allocate(bytes, align, &mut domain).unwrap();
        assert!(buffer.bus().is_multiple_of(align as u64) && buffer.len() >= bytes);
        assert!(buffer.bus() >= ends || ends > 1 << 20, "{buffer:?}");
        ends = buffer.bus() + buffer.len() as u64;
        let mut all = vec![1; buffer.len()];
        buffer.copy_out(0, &mut all).unwrap();
        assert!(all.iter().all(|byte| *byte == 0));
        buffer.copy_in(0, &vec![0xff; buffer.len()]).unwrap();
    }
    // The first window has no room for a segment.
    assert_eq!(domain.mapped, BTreeMap::from([(0x1_0020_0000, SEGMENT)]));
    assert!(arena.allocate(1, 3, &mut domain).is_err());
    assert!(arena.allocate(usize::MAX, 64, &mut domain).is_err());
    arena.clear(&mut domain).unwrap();
    assert!(domain.mapped.is_empty());
}

#[test]
fn what_is_released_is_used_again_and_empty_segments_go() {
    let (mut arena, mut domain) = (Arena::new(WINDOWS.to_vec()), Domain::new(9));
    let small: Vec<_> = (0..8)
        .map(|_| arena.allocate(1 << 20, 64, &mut domain).unwrap())
        .collect();
    let large = arena.allocate(SEGMENT + 1, 64, &mut domain).unwrap();
    assert_eq!((arena.segments().0, domain.mapped.len()), (2, 2));
    assert_eq!(arena.bytes(), (2 * SEGMENT + HUGE_PAGE) as u64);
    arena.release(&large, &mut domain).unwrap();
    assert_eq!(domain.mapped.len(), 1);
    assert!(arena.release(&large, &mut domain).is_err(), "twice");
    // In another order than they came: neighbours join.
    for i in [3, 1, 2, 0, 7, 5, 6, 4] {
        arena.release(&small[i], &mut domain).unwrap();
    }
    let again = arena.allocate(SEGMENT, 64, &mut domain).unwrap();
    assert_eq!((again.bus(), domain.mapped.len()), (small[0].bus(), 1));
}

#[test]
fn windows_and_mappings_run_out_with_a_reason() {
    let (mut arena, mut domain) = (Arena::new(vec![0..=0x1ff_ffff]), Domain::new(1));
    arena.allocate(SEGMENT, 64, &mut domain).unwrap();
    let window = arena.allocate(SEGMENT, 64, &mut domain).unwrap_err();
    assert!(window.to_string().contains("bus addresses"), "{window}");
    let mut arena = Arena::new(WINDOWS.to_vec());
    let full = arena.allocate(1, 64, &mut domain).unwrap_err();
    assert!(full.to_string().contains("full"), "{full}");
    assert_eq!(arena.bytes(), 0);
}
