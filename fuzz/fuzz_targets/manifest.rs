//! Any bytes as a manifest: loading ends with objects or messages, and what was loaded can be written and loaded again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use manifest::{Object, Source, load};

fuzz_target!(|bytes: &[u8]| {
    let source = |bytes: Vec<u8>| Source { name: "fuzz.yaml".to_owned(), bytes };
    match load(&[source(bytes.to_vec())]) {
        Err(messages) => {
            assert!(!messages.is_empty());
            for message in messages {
                assert!(!message.render(false).is_empty());
            }
        }
        Ok(loaded) => {
            for object in loaded.objects {
                let Object::Pod(pod) = object else { continue };
                let Ok(written) = serde_json::to_vec(&pod.object) else { panic!("a Pod cannot be written") };
                let again = load(&[source(written)]);
                let Ok([Object::Pod(again)]) = again.as_ref().map(|loaded| &loaded.objects[..]) else {
                    panic!("a written Pod is not taken: {again:?}");
                };
                assert_eq!(again.object, pod.object);
            }
        }
    }
});
