//! Rules for the organisations that one provider speaks for.

use crate::lint::rule::rules;

rules! {
    UNKNOWN = Error "registry.organisations.unknown", "Design decision 8",
        what: "{found} finns inte bland organisationerna." / "{found} is not among the organisations.",
        why: "Vad ett intyg får säga mäts mot posten för den organisation som det bevisar." / "What an assertion may say is measured against the record of the organisation that it proves.",
        fix: "Lägg till organisationen först (sparvidd organisation add), eller rätta numret efter --for." / "Add the organisation first (sparvidd organisation add), or correct the number after --for.";
    NOT_SPOKEN_FOR = Error "registry.organisations.not_spoken_for", "Design decision 8",
        what: "{found} är ingen av organisationerna som legitimeringstjänsten redan intygar för." / "{found} is none of the organisations that the provider speaks for already.",
        why: "Ett felskrivet nummer skulle lämna kvar den organisation som skulle bort." / "A misspelt number would leave the organisation that was to go.",
        fix: "Rätta numret efter --not-for. sparvidd metadata show visar vilka de är." / "Correct the number after --not-for. sparvidd metadata show tells which they are.";
    NONE = Error "registry.organisations.none", "Design decision 8",
        what: "Ingen organisation blir kvar som legitimeringstjänsten intygar för." / "No organisation is left that the provider speaks for.",
        why: "Då kan ingen logga in med den." / "Then nobody can sign in with it.",
        fix: "Ange någon med --for, eller ta bort legitimeringstjänsten (sparvidd metadata remove)." / "Name one with --for, or take the provider out (sparvidd metadata remove).";
    SHARED = Warning "registry.organisations.shared", "Design decision 8",
        what: "{found} hör till båda organisationerna {expected}." / "{found} belongs to both organisations {expected}.",
        why: "Ett intyg med bara det visar inte vilken av dem personen hör till, och nekas." / "An assertion with that alone does not tell which of them the person belongs to, and is refused.",
        fix: "Låt bara den ena posten ha det, eller låt intygen också ha organisationsnumret." / "Let only one of the records have it, or let the assertions have the organisation number as well.";
}
