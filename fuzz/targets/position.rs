//! `epoch.number`: one spelling a position, and the text keeps its order.
#![no_main]

use libfuzzer_sys::fuzz_target;
use symbolon_login::Position;

fuzz_target!(|text: &str| {
    let quoted = serde_json::Value::from(text);
    let by_serde = serde_json::from_value::<Position>(quoted).ok();
    let parsed = text.parse::<Position>().ok();
    assert_eq!(parsed, by_serde, "one rule, however the text arrives");
    if let Some(position) = parsed {
        assert_eq!(position.to_string(), text, "one spelling");
        assert_eq!(Position::new(position.epoch(), position.number()), position);
        assert!(position.next() >= position);
    }
});
