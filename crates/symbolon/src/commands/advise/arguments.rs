//! What can be typed after `symbolon advise`: one flag for every fact, made from the adviser's table.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, ValueEnum};
use symbolon_adviser::{Answers, BadFact, Fact, Facts, Lang};

use crate::demo::words;

/// Session or JWT, for your application? With its reasons and its price
///
/// Say what you know by flags or in a file, or call it without any and be asked. What you do not say is unknown, which is
/// an answer, too. It needs no authority and changes nothing.
#[derive(Args)]
pub(crate) struct Advise {
    #[command(flatten)]
    pub(super) flags: Flags,
    /// A TOML or JSON file with the same facts ('-' in the place of inner dashes is '_'); flags win over it. '-' reads standard input
    #[arg(long, value_name = "FILE")]
    pub(super) answers: Option<PathBuf>,
    /// Ask for what is not known, one question a line; an empty line is unknown
    #[arg(long)]
    pub(super) ask: bool,
    /// Answer in JSON
    #[arg(long)]
    pub(super) json: bool,
    /// Language of the texts; the terminal's if not said
    #[arg(long, value_enum)]
    lang: Option<Language>,
    /// Also write a page to print and argue over
    #[arg(long, value_name = "FILE")]
    pub(super) page: Option<PathBuf>,
    /// Also write the chart of cost against freshness, as SVG
    #[arg(long, value_name = "FILE")]
    pub(super) chart: Option<PathBuf>,
    /// The app's client id, for the settings
    #[arg(long, value_name = "ID", default_value = "my-app")]
    pub(super) app: String,
    /// The app as browsers know it, for the settings
    #[arg(long, value_name = "URL", default_value = "https://app.example.com")]
    pub(super) public_url: String,
    /// The authority, for the settings
    #[arg(long, value_name = "URL", default_value = "https://login.example.com")]
    pub(super) authority: String,
}

impl Advise {
    /// The language of all that it says.
    pub(super) fn lang(&self) -> Lang {
        match (self.lang, words::Language::of_terminal()) {
            (Some(Language::Ko), _) | (None, words::Language::Ko) => Lang::Ko,
            (Some(Language::En), _) | (None, words::Language::En) => Lang::En,
        }
    }
}

/// A language of the texts.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Language {
    /// English
    En,
    /// Korean (한국어)
    Ko,
}

/// The facts that were given as flags, as they were typed: what is none is told in the language that stands in
/// another flag.
#[derive(Default)]
pub(super) struct Flags(Vec<(Fact, String)>);

impl Flags {
    /// Whether there was none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts them over what is known.
    pub(super) fn add_to(&self, facts: &mut Facts) -> Result<(), BadFact> {
        for (fact, typed) in &self.0 {
            facts.set(*fact, fact.parse(typed)?);
        }
        Ok(())
    }
}

impl Args for Flags {
    fn augment_args(command: Command) -> Command {
        Fact::ALL.into_iter().fold(command, |command, fact| {
            let about = fact.about();
            let (value_name, choice) = match about.answers {
                Answers::Words(words) => ("ANSWER", format!(" [{}]", words.join(", "))),
                Answers::Number { .. } => ("N", String::new()),
                Answers::Time { .. } => ("TIME", String::new()),
            };
            let flag = Arg::new(about.name)
                .long(about.flag)
                .value_name(value_name)
                .help(format!("{}{choice}", about.en))
                .help_heading("What is known")
                // So that a negative load is refused as one and not as an unknown flag.
                .allow_negative_numbers(true);
            command.arg(flag)
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for fact in Fact::ALL {
            if let Some(value) = matches.get_one::<String>(fact.about().name) {
                self.0.push((fact, value.clone()));
            }
        }
        Ok(())
    }
}
