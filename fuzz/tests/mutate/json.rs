//! Changes of values within JSON, so that it stays JSON.

use serde_json::Value;

use super::Rng;

/// Changes one of the texts of an input, which zero bytes separate. `None` where none of them is JSON.
pub fn mutate(rng: &mut Rng, data: &[u8]) -> Option<Vec<u8>> {
    let mut texts: Vec<Vec<u8>> = data.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect();
    let first = rng.below(texts.len());
    let order = (0..texts.len()).map(|at| (first + at) % texts.len());
    let parse = |at: usize| Some((at, serde_json::from_slice::<Value>(&texts[at]).ok()?));
    let (at, mut value) = order
        .filter_map(parse)
        .find(|(_, value)| has_parts(value))?;
    for _ in 0..=rng.below(3) {
        change(rng, &mut value);
    }
    texts[at] = value.to_string().into_bytes();
    Some(texts.join(&0))
}

fn has_parts(value: &Value) -> bool {
    match value {
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => false,
    }
}

/// Changes a value, or one somewhere within it.
fn change(rng: &mut Rng, value: &mut Value) {
    // As a rule, on to what is within.
    let here = rng.below(12);
    match value {
        Value::Array(items) if !items.is_empty() => {
            let (at, other) = (rng.below(items.len()), rng.below(items.len()));
            match here {
                0 => drop(items.remove(at)),
                1 => items.swap(at, other),
                2 => items.insert(at, items[other].clone()),
                3 => items[at] = items[other].clone(),
                _ => change(rng, &mut items[at]),
            }
        }
        Value::Object(fields) if !fields.is_empty() => {
            let (at, other) = (rng.below(fields.len()), rng.below(fields.len()));
            let name = fields.keys().nth(at).cloned().unwrap_or_default();
            match here {
                0 => drop(fields.remove(&name)),
                1 => {
                    let copy = fields.values().nth(other).cloned();
                    fields.insert(name, copy.unwrap_or_default());
                }
                _ => fields
                    .values_mut()
                    .nth(at)
                    .into_iter()
                    .for_each(|it| change(rng, it)),
            }
        }
        Value::String(text) => *text = hex(rng, text),
        _ if here < 2 => *value = Value::Null,
        _ => {
            *value = [Value::from(rng.next()), Value::from(0), Value::from("0x")][here % 3].clone()
        }
    }
}

/// Another text of hexadecimal digits.
fn hex(rng: &mut Rng, text: &str) -> String {
    const DIGITS: &[u8] = b"0123456789abcdef";
    let mut digits = text.trim_start_matches("0x").as_bytes().to_vec();
    let some = |rng: &mut Rng, count: usize| -> Vec<u8> {
        (0..count).map(|_| DIGITS[rng.below(16)]).collect()
    };
    let at = rng.below(digits.len() / 2) * 2;
    match rng.below(8) {
        0 | 1 if !digits.is_empty() => {
            let at = rng.below(digits.len());
            digits[at] = DIGITS[rng.below(16)];
        }
        2 => digits = some(rng, digits.len()),
        3 => {
            let edges = [
                "0",
                "1",
                "ffffffffffffffff",
                "ef0100",
                "",
                "10000000000000000",
            ];
            digits = edges[rng.below(edges.len())].into();
        }
        4 => digits.fill(b'f'),
        5 => digits.truncate(at),
        6 => {
            let more = 2 * rng.below(8);
            let more = some(rng, more);
            digits.splice(at..at, more).for_each(drop);
        }
        _ => {
            // A number close by.
            let number = u128::from_str_radix(&String::from_utf8_lossy(&digits), 16);
            let step = rng.below(5) as u128;
            if let Ok(number) = number {
                digits =
                    format!("{:x}", number.saturating_add(step).saturating_sub(2)).into_bytes();
            }
        }
    }
    format!("0x{}", String::from_utf8_lossy(&digits))
}
