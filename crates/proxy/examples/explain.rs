//! Loads configuration files and explains requests: `explain FILE... METHOD URL [name:value]...`.

#![allow(clippy::print_stdout, reason = "it is for people at a terminal")]

use std::error::Error;

use manifest::Source;
use pillion_proxy::config;
use pillion_proxy::route::explain::{Question, explain};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let method = words
        .iter()
        .position(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase()));
    let (files, asked) = words.split_at(method.ok_or("which method?")?);
    let [method, url, headers @ ..] = asked else {
        return Err("which URL?".into());
    };
    let sources = files.iter().map(|name| {
        std::fs::read(name).map(|bytes| Source {
            name: name.clone(),
            bytes,
        })
    });
    let sources: Vec<Source> = sources.collect::<Result<_, _>>()?;
    let loaded = match config::load(&sources) {
        Ok(loaded) => loaded,
        Err(messages) => {
            for message in messages {
                println!("{}\n", message.render(false));
            }
            return Err("the configuration is wrong".into());
        }
    };
    for warning in &loaded.warnings {
        println!("{}\n", warning.render(false));
    }
    let question = Question {
        method: method.clone(),
        url: url.clone(),
        headers: headers.to_vec(),
        listener: None,
    };
    print!("{}", explain(&loaded.config, &question)?);
    Ok(())
}
