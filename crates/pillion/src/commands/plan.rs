//! `pillion plan`: what would happen and why, without running anything.

use std::process::ExitCode;

use manifest::Object;

use super::{bad_input, load};
use crate::cli::PlanArgs;
use crate::exit;
use crate::term::Term;

pub(crate) fn run(args: &PlanArgs, term: &Term) -> ExitCode {
    let Some(loaded) = load(&args.paths, term) else { return bad_input() };
    let mut first = true;
    for object in &loaded.objects {
        if let Object::Pod(pod) = object {
            if !first {
                term.result("\n");
            }
            first = false;
            let _ = pod; // PLAN
        }
    }
    exit::SUCCESS.into()
}
