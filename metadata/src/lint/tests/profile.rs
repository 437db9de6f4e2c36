//! What federations demand beyond the base.

use super::{breaks, idp, sp, with};

#[test]
fn words_and_pictures() {
    for (file, from, to, rule) in [
        (
            sp(),
            "<mdui:DisplayName xml:lang=\"sv\">",
            "<mdui:DisplayName xml:lang=\"fi\">",
            "saml.sp.display_name_sv_missing",
        ),
        (
            idp(),
            "<mdui:DisplayName xml:lang=\"en\">",
            "<mdui:DisplayName xml:lang=\"fi\">",
            "saml.interface.display_name_en_missing",
        ),
        (
            idp(),
            "<mdui:Description xml:lang=\"sv\">",
            "<mdui:Description xml:lang=\"fi\">",
            "saml.interface.description_sv_missing",
        ),
        (
            sp(),
            "<mdui:Description xml:lang=\"en\">",
            "<mdui:Description xml:lang=\"fi\">",
            "saml.interface.description_en_missing",
        ),
        (sp(), "mdui:Logo", "mdui:Keywords", "saml.sp.logo_missing"),
        (idp(), "https://granvik.example/logo.svg", "data:image/png;base64,AA==", "saml.interface.logo_data"),
        (
            idp(),
            "https://granvik.example/logo.svg",
            "http://granvik.example/logo.svg",
            "saml.interface.logo_not_https",
        ),
        (
            idp(),
            "https://granvik.example/personuppgifter",
            "javascript:alert(1)",
            "saml.interface.link_malformed",
        ),
        (idp(), "mdui:InformationURL", "mdui:Keywords", "saml.interface.information_url_missing"),
        (sp(), "mdui:PrivacyStatementURL", "mdui:Keywords", "saml.sp.privacy_statement_missing"),
        (idp(), "mdui:PrivacyStatementURL", "mdui:Keywords", "saml.idp.privacy_statement_missing"),
        (
            idp(),
            "<mdui:Description xml:lang=\"en\">Sign-in for staff</mdui:Description>",
            "",
            "saml.interface.languages_differ",
        ),
        (
            idp(),
            "<mdui:Description xml:lang=\"en\">",
            "<mdui:Description xml:lang=\"sv\">",
            "saml.interface.language_twice",
        ),
        (
            idp(),
            "<md:OrganizationName xml:lang=\"sv\">",
            "<md:OrganizationName xml:lang=\"fi\">",
            "saml.organisation.swedish_missing",
        ),
        (
            sp(),
            "<md:OrganizationURL xml:lang=\"en\">",
            "<md:OrganizationURL xml:lang=\"fi\">",
            "saml.organisation.english_missing",
        ),
        (idp(), ">2120001355</mdorgext", ">212000-1355</mdorgext", "saml.organisation.number_malformed"),
        (idp(), ">2120001355</mdorgext", ">2120001356</mdorgext", "saml.organisation.number_malformed"),
    ] {
        breaks(&with(&file, from, to), rule);
    }
    let start = idp().find("<md:Organization>").expect("there");
    let end = idp().find("</md:Organization>").expect("there") + "</md:Organization>".len();
    let mut without = idp();
    without.replace_range(start..end, "");
    breaks(&without, "saml.organisation.missing");
}

#[test]
fn contacts() {
    for (from, to, rule) in [
        ("contactType=\"technical\"", "contactType=\"billing\"", "saml.contact.technical_missing"),
        ("contactType=\"administrative\"", "contactType=\"billing\"", "saml.contact.administrative_missing"),
        ("contactType=\"support\"", "contactType=\"billing\"", "saml.contact.support_missing"),
        ("contactType=\"support\"", "contactType=\"technical\"", "saml.contact.several_of_one_kind"),
        ("mailto:hjalp", "hjalp", "saml.contact.mailto_missing"),
        ("contactType/security", "contactType/other", "saml.contact.security_missing"),
    ] {
        breaks(&with(&idp(), from, to), rule);
    }
}

#[test]
fn categories_and_levels_of_an_identity_provider() {
    for (from, to, rule) in [
        (
            "Name=\"http://macedir.org/entity-category-support\"",
            "Name=\"http://macedir.org/entity-category\"",
            "saml.category.attribute_twice",
        ),
        (
            "entity-category\" NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:uri\"",
            "entity-category\"",
            "saml.category.name_format",
        ),
        ("loa3-name", "loa2-name", "saml.idp.category_name_missing"),
        ("ec/1.0/loa3-", "ec/1.0/other-", "saml.category.service_missing"),
        ("loa/1.0/loa3", "loa/1.0/loa2", "saml.idp.category_level_missing"),
        (
            "http://www.swamid.se/policy/assurance/al1",
            "http://id.elegnamnden.se/loa/1.0/loa3-sigmessage",
            "saml.category.deprecated",
        ),
        (
            "http://www.swamid.se/policy/assurance/al1",
            "https://refeds.org/other",
            "saml.idp.swamid_assurance_missing",
        ),
        (
            "https://refeds.org/sirtfi",
            "http://refeds.org/category/hide-from-discovery",
            "saml.category.hide_from_discovery",
        ),
        ("entity-category-support", "entity-category-other", "saml.idp.category_support_missing"),
        (">granvik.example</shibmd", ">@granvik</shibmd", "saml.idp.scope_malformed"),
        ("shibmd:Scope", "shibmd:Other", "saml.idp.scope_missing_for_organisation"),
        ("shibmd:Scope", "shibmd:Other", "saml.idp.scope_missing"),
        (
            "<saml:Attribute Name=\"urn:oasis:names:tc:SAML:attribute:subject-id\"",
            "<saml:Other Name=\"\"",
            "saml.idp.attribute_missing",
        ),
        (
            "<psc:MatchValue Name=\"urn:oid:1.2.752.201.3.1\"/>",
            "<psc:MatchValue Name=\"a\">b</psc:MatchValue>",
            "saml.idp.principal_selection_value",
        ),
        ("nameid-format:transient", "nameid-format:other", "saml.role.name_id_format"),
    ] {
        breaks(&with(&idp(), from, to), rule);
    }
}

#[test]
fn categories_and_wishes_of_a_service_provider() {
    for (from, to, rule) in [
        ("st/1.0/public-sector-sp", "st/1.0/other", "saml.sp.sector_category"),
        (
            "http://refeds.org/category/research-and-scholarship",
            "http://id.elegnamnden.se/st/1.0/private-sector-sp",
            "saml.sp.sector_category",
        ),
        ("mdui:InformationURL", "mdui:Keywords", "saml.sp.research_and_scholarship"),
        ("mdui:PrivacyStatementURL", "mdui:Keywords", "saml.sp.code_of_conduct"),
        (">pairwise-id<", ">eppn<", "saml.sp.subject_id_requirement"),
        ("profiles:subject-id:req", "profiles:subject-id:other", "saml.sp.subject_id_requirement_missing"),
        (
            "md:AttributeConsumingService",
            "md:ArtifactResolutionService",
            "saml.sp.attribute_consuming_service_missing",
        ),
        (
            "<md:ServiceDescription xml:lang=\"en\">",
            "<md:ServiceDescription xml:lang=\"fi\">",
            "saml.sp.attribute_consuming_service_words",
        ),
        (" FriendlyName=\"mail\"", "", "saml.sp.requested_attribute_form"),
        (
            "urn:oid:0.9.2342.19200300.100.1.3",
            "urn:oid:1.2.752.201.3.1",
            "saml.sp.requested_attribute_implied",
        ),
    ] {
        breaks(&with(&sp(), from, to), rule);
    }
    let signing = with(&sp(), "st/1.0/public-sector-sp", "st/1.0/sigservice");
    breaks(
        &with(&signing, "AuthnRequestsSigned=\"true\"", "AuthnRequestsSigned=\"false\""),
        "saml.sp.signature_service_unsigned",
    );
}
