//! The `glassbox` program: a window, and the same lab from the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    glassbox::engine::candle::calm_candle();
    // A graphics interface or a file dialog that is tried and not there is no error of the student's.
    let quiet = "error,wgpu_hal::gles=off,rfd=off";
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or(quiet)).init();
    match glassbox::cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("glassbox: {sentence}");
            ExitCode::FAILURE
        }
    }
}
