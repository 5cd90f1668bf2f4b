pub(crate) const TESTS: &[crate::Test] = &[];
pub(crate) const RUNNER_ARGUMENT: &str = "be-a-runner";
pub(crate) fn be_a_runner(_: &str) -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
