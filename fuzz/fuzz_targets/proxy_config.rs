//! Any text is a configuration of the proxy or refused with messages; what is one is told back by its effective form.

#![no_main]

use libfuzzer_sys::fuzz_target;
use manifest::Source;
use proxy::config;

fn source(bytes: &[u8]) -> Source {
    Source {
        name: "proxy.yaml".to_owned(),
        bytes: bytes.to_vec(),
    }
}

fuzz_target!(|bytes: &[u8]| {
    match config::load(&[source(bytes)]) {
        Err(messages) => {
            assert!(!messages.is_empty());
            for message in messages {
                let _ = message.render(false);
            }
        }
        Ok(loaded) => {
            let effective = loaded.config.effective().to_string();
            let again = config::load(&[source(effective.as_bytes())]);
            let again = again.expect("what is effective can be read");
            assert_eq!(again.config, loaded.config);
        }
    }
});
