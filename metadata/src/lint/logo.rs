//! Rules for logos.

use crate::lint::rule::rules;

rules! {
    SVG = Error "organisation.logo.svg", "Design decision 12",
        what: "Logotypen är en SVG-bild." / "The logo is an SVG picture.",
        why: "En SVG-bild är ett dokument som kan hämta annat och köra skript." / "An SVG picture is a document that can fetch other things and run scripts.",
        fix: "Exportera den som PNG, minst 160 bildpunkter hög, och ange den filen." / "Export it as PNG, at least 160 pixels high, and name that file.";
    KIND = Error "organisation.logo.kind", "Design decision 12",
        what: "Logotypen är ingen bild i PNG, JPEG, WebP eller GIF." / "The logo is no picture in PNG, JPEG, WebP or GIF.",
        why: "Andra format avkodas inte." / "Other formats are not decoded.",
        fix: "Spara den som PNG, minst 160 bildpunkter hög." / "Save it as PNG, at least 160 pixels high.";
    UNREADABLE = Error "organisation.logo.unreadable", "Design decision 12",
        what: "Logotypen går inte att avkoda: {found}." / "The logo cannot be decoded: {found}.",
        why: "Bilden görs om här, så att bara bildpunkter når den som väljer organisation." / "The picture is made anew here, so that pixels alone reach who chooses an organisation.",
        fix: "Öppna bilden i ett bildprogram och spara den på nytt som PNG." / "Open the picture in an image editor and save it anew as PNG.";
    TOO_LARGE = Error "organisation.logo.too_large", "Design decision 12",
        what: "Logotypen är för stor: {found}; högst {expected}." / "The logo is too large: {found}; at most {expected}.",
        why: "En bild som packas upp till mer tar för mycket minne." / "A picture that unpacks to more takes too much memory.",
        fix: "Spara den mindre, till exempel 160 bildpunkter hög." / "Save it smaller, for example 160 pixels high.";
    NARROW = Error "organisation.logo.shape", "Design decision 12",
        what: "Logotypen är {found} bildpunkter; den ska vara minst {expected}." / "The logo is {found} pixels; it must be at least {expected}.",
        why: "Den visas 40 bildpunkter hög och blir annars ett streck eller en fläck." / "It is shown 40 pixels high and would else be a line or a blot.",
        fix: "Ange en bild på minst 40 bildpunkter åt båda håll." / "Name a picture of at least 40 pixels either way.";
    SOURCE = Error "organisation.logo.source", "Design decision 12",
        what: "{found} är varken ett filnamn eller en https-adress." / "{found} is neither the name of a file nor an https address.",
        why: "Logotypen hämtas en gång, när posten läggs till." / "The logo is fetched once, when the record is added.",
        fix: "Skriv logo = \"logotyp.png\", med filen bredvid posten, eller en https-adress." / "Write logo = \"logo.png\", with the file beside the record, or an https address.";
}
