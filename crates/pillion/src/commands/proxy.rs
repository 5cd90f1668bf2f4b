//! `pillion proxy`: the sidecar role, and what can be asked of its configuration.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use manifest::{Diagnostic, Severity};
use proxy::config::{self, Config};
use proxy::route::explain::{Question, explain};
use proxy::run::{Ended, Notice, Settings};
use proxy::unsupported::unsupported;

use super::{Failure, bad_input, show};
use crate::cli::{ExplainArgs, Output, ProxyArgs, ProxyCommand, ProxyConfig};
use crate::term::{Term, causes};
use crate::{exit, sources};

pub(crate) fn run(args: ProxyArgs, term: &Term) -> Result<ExitCode, Failure> {
    if let Some(ProxyCommand::Explain(args)) = &args.command {
        return answer(args, term);
    }
    let Some(config) = read(&args.what, term) else {
        return Ok(bad_input());
    };
    if args.effective {
        term.result(&printers::output::yaml(&config.effective()));
        return Ok(exit::SUCCESS.into());
    }
    let lacking = unsupported(&config);
    if !lacking.is_empty() {
        for lack in &lacking {
            term.error_text(lack);
        }
        term.remark("hint: this version does not carry these out, and ignores nothing\n");
        return Ok(bad_input());
    }
    if args.check {
        term.result("valid\n");
        return Ok(exit::SUCCESS.into());
    }
    serve(&args.what, config, term)
}

fn serve(from: &ProxyConfig, config: Config, term: &Term) -> Result<ExitCode, Failure> {
    let paths = from.config.clone();
    // Standard input can be read once.
    let again = !paths.is_empty() && paths.iter().all(|path| path != "-");
    let reload = again.then(|| {
        let paths = paths.clone();
        let read: proxy::run::Reload = Box::new(move || {
            let sources = sources::read(&paths).map_err(|error| vec![causes(&error)])?;
            let texts = |findings: &[Diagnostic]| -> Vec<String> {
                let errors = findings.iter().filter(|it| it.severity == Severity::Error);
                errors
                    .map(|it| it.render(false).trim_end().to_owned())
                    .collect()
            };
            let loaded = config::load(&sources).map_err(|findings| texts(&findings))?;
            Ok(loaded.config)
        });
        read
    });
    let own = *term;
    let ended = proxy::run::run(Settings {
        config,
        reload,
        files: if again {
            paths.iter().map(PathBuf::from).collect()
        } else {
            Vec::new()
        },
        out: Box::new(io::stdout()),
        grace_period: std::env::var(sidecar_kit::drain::GRACE_PERIOD_VARIABLE).ok(),
        notify: Box::new(move |notice| match notice {
            Notice::Info(text) => own.remark(&format!("proxy: {text}\n")),
            Notice::Warning(text) => own.warning(&text),
        }),
    });
    let ended = ended.map_err(|error| Failure::new("proxy".to_owned(), error))?;
    let text = match ended {
        Ended::Drained => "ended: no connection was cut off".to_owned(),
        Ended::CutOff(left) => format!("ended with the grace period; connections cut off: {left}"),
        Ended::AtOnce(left) => format!("ended by a second signal; connections cut off: {left}"),
    };
    term.remark(&format!("proxy: {text}\n"));
    Ok(exit::SUCCESS.into())
}

/// The configuration; None: what is wrong with it has been told.
fn read(from: &ProxyConfig, term: &Term) -> Option<Config> {
    if from.config.is_empty() {
        return match from.flags.flags().config() {
            Ok((config, warnings)) => {
                warnings.iter().for_each(|warning| term.warning(warning));
                Some(config)
            }
            Err(faults) => {
                faults.0.iter().for_each(|fault| term.error_text(fault));
                None
            }
        };
    }
    let sources = match sources::read(&from.config) {
        Ok(sources) => sources,
        Err(error) => {
            term.error(&error);
            return None;
        }
    };
    match config::load(&sources) {
        Ok(loaded) => {
            show(&loaded.warnings, term);
            Some(loaded.config)
        }
        Err(findings) => {
            show(&findings, term);
            None
        }
    }
}

fn answer(args: &ExplainArgs, term: &Term) -> Result<ExitCode, Failure> {
    let Some(config) = read(&args.what, term) else {
        return Ok(bad_input());
    };
    let question = Question {
        method: args.method.clone(),
        url: args.url.clone(),
        headers: args.header.clone(),
        listener: args.listener.clone(),
    };
    let explanation = match explain(&config, &question) {
        Ok(explanation) => explanation,
        Err(error) => {
            term.error(&error);
            return Ok(bad_input());
        }
    };
    term.result(&match args.output {
        Output::Text => explanation.to_string(),
        Output::Json => {
            serde_json::to_string_pretty(&explanation)
                .map_err(|error| Failure::new("write the explanation".to_owned(), error))?
                + "\n"
        }
    });
    Ok(exit::SUCCESS.into())
}
