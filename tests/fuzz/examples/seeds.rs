//! Writes the seeds, one folder for each target, for an engine to begin with: `cargo run -p fuzz --example seeds FOLDER`.

use std::{fs, io, path::Path};

fn main() -> io::Result<()> {
    let Some(to) = std::env::args_os().nth(1) else {
        return Err(io::Error::other("name the folder to write to"));
    };
    for (target, _) in fuzz::TARGETS {
        let folder = Path::new(&to).join(target);
        fs::create_dir_all(&folder)?;
        for (number, seed) in fuzz::seeds::of(target).iter().enumerate() {
            fs::write(folder.join(format!("seed-{number}")), seed)?;
        }
    }
    Ok(())
}
