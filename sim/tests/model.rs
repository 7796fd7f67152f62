//! Ports of a model, whatever the block does.

use gatewei_sim::model::{Model, ModelError, names};

#[test]
fn ports_keep_what_fits_them() {
    let mut card = Model::new("card").unwrap();
    let address = card.input("s_axil_awaddr", 12).unwrap();
    card.set_u64(address, 0xffff_f123);
    assert_eq!(
        card.get_u64(address),
        0x123,
        "bits beyond the width are dropped"
    );
    card.set(address, &[0x1fff]);
    assert_eq!(card.get(address), [0xfff]);

    let data = card.input("m_axi_rdata", 256).unwrap();
    card.set(data, &[1, u64::MAX, 3, 4, 5]);
    assert_eq!(card.get(data), [1, u64::MAX, 3, 4]);
    card.set(data, &[7]);
    assert_eq!(card.get(data), [7, 0, 0, 0], "missing words are zero");
    let word: [u8; 32] = std::array::from_fn(|i| i as u8 + 1);
    card.set_word(data, &word);
    assert_eq!(card.get_word(data), word);
    assert_eq!(
        card.get(data)[0],
        u64::from_le_bytes([1, 2, 3, 4, 5, 6, 7, 8])
    );
}

#[test]
fn what_does_not_exist_is_named_with_what_does() {
    assert!(names().any(|name| name == "card") && names().any(|name| name == "card2"));
    let error = Model::new("crad").unwrap_err().to_string();
    assert!(
        error.contains("`crad`") && error.contains("card2"),
        "{error}"
    );
    let card = Model::new("card").unwrap();
    let error = card.port("clk").unwrap_err().to_string();
    assert!(
        error.contains("`clk`") && error.contains("clock"),
        "{error}"
    );
    assert!(matches!(
        card.input("clock", 2),
        Err(ModelError::Shape { .. })
    ));
    assert!(matches!(
        card.output("clock", 1),
        Err(ModelError::Shape { .. })
    ));
}

#[test]
#[should_panic(expected = "output")]
fn an_output_cannot_be_set() {
    let mut card = Model::new("card").unwrap();
    let port = card.port("msix_valid").unwrap();
    card.set_u64(port, 1);
}
