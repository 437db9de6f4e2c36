# What the employee reads. Plain language: you, the present tense, one idea a sentence. First what happens, then what to do.
# $service is the service that you sign in to, $organisation your own organisation. No sentence within a text begins with a name.

## The frame of every page

footer-accessibility = Accessibility statement
footer-contact = Something that does not work? Write to { $contact }
unnamed-service = the service
unnamed-organisation = your organisation
broken-page = The page cannot be shown right now

## Times

time = { $day } { $month } { $year } at { $hour }:{ $minute } (Swedish time)
month-1 = January
month-2 = February
month-3 = March
month-4 = April
month-5 = May
month-6 = June
month-7 = July
month-8 = August
month-9 = September
month-10 = October
month-11 = November
month-12 = December

## Choose your organisation

choice-title = Where do you work?
choice-lead = Choose your organisation to sign in to { $service }. You sign in there, the way you usually do.
choice-search-label = Search for your organisation
choice-search-button = Search
choice-count = { $count ->
        [0] No organisation
        [one] 1 organisation
       *[other] { $count } organisations
    }
choice-count-more = Here are { $shown } of { $found } organisations. Type a few letters to find yours.
choice-none-title = No organisation by that name
choice-none-do = Try another word, such as the name of the municipality or region. If your organisation is not here, you cannot sign in to { $service } this way yet.
choice-show-all = Show all organisations
choice-cancel = Cancel and go back to { $service }

## The service's own words

message-from = { $service } says:

## What is sent

notice-title = What { $service } gets to know
notice-lead = You are signed in at { $organisation } and on your way into { $service }.
notice-lead-from = You are signed in at { $organisation } and on your way into { $service }, a service of { $owner }.
notice-sent = What is sent to { $service }
notice-essential = required
notice-nothing = No personal details.
notice-code = A code is sent too, so that { $service } recognises you next time. The code cannot be turned back into your name.
notice-why = These details come from your employer. They tell { $service } who you are and what you may do there.
notice-privacy = How { $service } treats your details
notice-accept = Continue to { $service }
notice-decline = Cancel
notice-decline-means = If you cancel, nothing is sent, and you go back to { $service }.

## Onward

onward-title = Taking you to { $destination }
onward-press = Press the button to go on.
onward-button = Continue to { $destination }

## The start page

start-title = The door between organisations
start-lead = With { $federation } you sign in to other organisations’ services with the e-ID that your employer gave you.
start-employee-title = Were you signing in?
start-employee = Signing in always begins at the service you want to use. Go back to it and choose to sign in there.
start-operator-title = For those who run a service or a sign-in
start-saml-metadata = SAML metadata
start-named-saml-metadata = SAML metadata: { $name }
start-openid-configuration = OpenID Connect configuration
start-keys = Public keys

## There is no such page

not-found-title = There is no such page
not-found-lead = There is nothing to show here. If you were signing in, go back to the service you want to use and start there.
not-found-button = To the start page

## The page of a failure

error-again = Try again
error-return = Go back to { $service }
error-start = To the start page
error-support = Help at { $organisation }
error-details = For whoever helps you
error-reference = Reference
error-code = Code
error-time = Time

## Failures: the service asked in a way that does not work

failure-relying_party-request_malformed =
    .title = The sign-in does not start
    .what = What { $service } sent here cannot be read.
    .next = Go back to { $service } and sign in again. If it happens again, tell those who run the service and read them the reference.
failure-relying_party-unknown =
    .title = The service is not connected
    .what = You come from a service that is not registered with us.
    .next = Go back to the service and tell those who run it. Read them the reference.
failure-relying_party-return_address_unregistered =
    .title = The sign-in stops here
    .what = You were to be sent to an address that is not registered for { $service }. We stop, so that your details do not end up in the wrong place.
    .next = Go to { $service } the way you usually do and sign in again. If it happens again, tell those who run the service and read them the reference.
failure-relying_party-response_type_unsupported =
    .title = { failure-relying_party-request_malformed.title }
    .what = What { $service } asks for is not offered here.
    .next = { failure-relying_party-request_malformed.next }
failure-relying_party-scope_invalid =
    .title = { failure-relying_party-request_malformed.title }
    .what = What { $service } asks for is not registered for it.
    .next = { failure-relying_party-request_malformed.next }
failure-relying_party-pkce_required =
    .title = { failure-relying_party-request_malformed.title }
    .what = A safeguard is missing from what { $service } sent here.
    .next = { failure-relying_party-request_malformed.next }
failure-relying_party-request_not_supported =
    .title = { failure-relying_party-request_malformed.title }
    .what = { failure-relying_party-response_type_unsupported.what }
    .next = { failure-relying_party-request_malformed.next }
failure-relying_party-suspended =
    .title = Signing in to { $service } is closed
    .what = Right now you cannot sign in to { $service } this way.
    .next = Go back to { $service } and see if there is another way. Otherwise ask those who run the service.
failure-relying_party-authentication_failed =
    .title = { failure-relying_party-code_invalid.title }
    .what = { failure-relying_party-code_invalid.what }
    .next = { failure-relying_party-code_invalid.next }
failure-relying_party-code_invalid =
    .title = The sign-in was not completed
    .what = You signed in, but { $service } could not fetch the result.
    .next = Go back to { $service } and sign in again. If it happens again, tell those who run the service and read them the reference.
failure-relying_party-pkce_mismatch =
    .title = { failure-relying_party-code_invalid.title }
    .what = { failure-relying_party-code_invalid.what }
    .next = { failure-relying_party-code_invalid.next }
failure-relying_party-grant_type_unsupported =
    .title = { failure-relying_party-code_invalid.title }
    .what = { failure-relying_party-code_invalid.what }
    .next = { failure-relying_party-code_invalid.next }
failure-relying_party-token_invalid =
    .title = Your sign-in has run out
    .what = The time for your sign-in to { $service } is over.
    .next = Go back to { $service } and sign in again.
failure-relying_party-too_many =
    .title = Many are signing in to { $service } right now
    .what = There are more than we take at once.
    .next = Wait a minute and sign in to { $service } again.

## Failures: the organisation's sign-in says no

failure-provider-denied =
    .title = You were not signed in
    .what = The sign-in at { $organisation } answered no.
    .next = Try again. If the answer is the same, ask the support at { $organisation }.
failure-provider-cancelled =
    .title = You cancelled the sign-in
    .what = Nothing has been sent to { $service }.
    .next = Start again whenever you like.
failure-provider-no_passive =
    .title = You need to sign in
    .what = The sign-in at { $organisation } needs to show you something, but { $service } asked for it to be done silently.
    .next = Go back to { $service } and choose to sign in.
failure-provider-no_authn_context =
    .title = A safer way to sign in is needed
    .what = The sign-in at { $organisation } does not reach the level of assurance that { $service } requires.
    .next = If you have another e-ID for work, try again with that one. Otherwise ask the support at { $organisation }.
failure-provider-unknown_principal =
    .title = The sign-in does not know you yet
    .what = The sign-in at { $organisation } does not recognise you.
    .next = Check that you chose the right organisation and try again. Otherwise ask the support at { $organisation }.
failure-provider-fraud =
    .title = The sign-in was stopped
    .what = The sign-in at { $organisation } suspects that somebody else is trying to sign in as you.
    .next = If you were not trying to sign in, contact the support at { $organisation } at once. If it was you, you can try again.
failure-provider-request_refused =
    .title = The sign-in does not start
    .what = The sign-in at { $organisation } did not take our question.
    .next = Try again in a while. If it happens again, read the reference to the support at { $organisation }.
failure-provider-other_status =
    .title = { failure-provider-denied.title }
    .what = Something went wrong in the sign-in at { $organisation }.
    .next = { failure-provider-request_refused.next }

## Failures: the answer from the organisation's sign-in cannot be used

failure-provider-message_malformed =
    .title = The answer could not be used
    .what = An answer came from the sign-in at { $organisation }, but it cannot be read.
    .next = Try again. If it happens again, read the code and the reference to the support at { $organisation }.
failure-provider-signature_missing =
    .title = { failure-provider-message_malformed.title }
    .what = { failure-provider-signature_invalid.what }
    .next = { failure-provider-message_malformed.next }
failure-provider-signature_invalid =
    .title = { failure-provider-message_malformed.title }
    .what = An answer came from the sign-in at { $organisation }, but there is no way to tell that it is genuine.
    .next = { failure-provider-message_malformed.next }
failure-provider-signature_algorithm =
    .title = { failure-provider-message_malformed.title }
    .what = { failure-provider-signature_invalid.what }
    .next = { failure-provider-message_malformed.next }
failure-provider-issuer_mismatch =
    .title = { failure-provider-message_malformed.title }
    .what = The answer came from somebody else than the sign-in at { $organisation }.
    .next = { failure-provider-message_malformed.next }
failure-provider-destination_mismatch =
    .title = { failure-provider-message_malformed.title }
    .what = The answer from the sign-in at { $organisation } was meant for somebody else.
    .next = { failure-provider-message_malformed.next }
failure-provider-recipient_mismatch =
    .title = { failure-provider-message_malformed.title }
    .what = { failure-provider-destination_mismatch.what }
    .next = { failure-provider-message_malformed.next }
failure-provider-in_response_to_mismatch =
    .title = { failure-provider-message_malformed.title }
    .what = The answer from the sign-in at { $organisation } belongs to another attempt to sign in.
    .next = Try again, in one tab at a time. If it happens again, read the code and the reference to the support at { $organisation }.
failure-provider-unsolicited =
    .title = Signing in needs to begin at the service
    .what = An answer came from the sign-in at { $organisation } that no service has asked for.
    .next = Go to the service you want to use and sign in from there.
failure-provider-audience_mismatch =
    .title = { failure-provider-message_malformed.title }
    .what = { failure-provider-destination_mismatch.what }
    .next = { failure-provider-message_malformed.next }
failure-provider-not_yet_valid =
    .title = The clocks differ
    .what = The answer from the sign-in at { $organisation } carries a time that has not come yet.
    .next = Wait a minute and try again. If it happens again, read the code and the reference to the support at { $organisation }.
failure-provider-expired =
    .title = The answer came too late
    .what = Time ran out for the answer from the sign-in at { $organisation }.
    .next = Try again. If it happens again, read the code and the reference to the support at { $organisation }: a clock may be wrong.
failure-provider-subject_confirmation =
    .title = { failure-provider-message_malformed.title }
    .what = Something is missing from the answer from the sign-in at { $organisation }.
    .next = { failure-provider-message_malformed.next }
failure-provider-authn_statement =
    .title = { failure-provider-message_malformed.title }
    .what = The answer from the sign-in at { $organisation } does not say how you signed in.
    .next = { failure-provider-message_malformed.next }
failure-provider-condition_unknown =
    .title = { failure-provider-message_malformed.title }
    .what = The answer from the sign-in at { $organisation } carries a condition that we do not know.
    .next = { failure-provider-message_malformed.next }
failure-provider-assertion_count =
    .title = { failure-provider-message_malformed.title }
    .what = { failure-provider-subject_confirmation.what }
    .next = { failure-provider-message_malformed.next }
failure-provider-undecryptable =
    .title = { failure-provider-message_malformed.title }
    .what = { failure-provider-signature_invalid.what }
    .next = { failure-provider-message_malformed.next }
failure-provider-encrypted_part =
    .title = { failure-provider-message_malformed.title }
    .what = { failure-provider-message_malformed.what }
    .next = { failure-provider-message_malformed.next }
failure-provider-version_unsupported =
    .title = { failure-provider-message_malformed.title }
    .what = { failure-provider-message_malformed.what }
    .next = { failure-provider-message_malformed.next }
failure-provider-replayed =
    .title = The answer has been used
    .what = An answer from the sign-in at { $organisation } works once, and this one has been used.
    .next = Start again to get a new one.
failure-provider-assurance_not_asked =
    .title = { failure-provider-message_malformed.title }
    .what = You signed in at { $organisation } in another way than { $service } requires.
    .next = If you have another e-ID for work, try again with that one. Otherwise ask the support at { $organisation }.
failure-provider-authentication_too_old =
    .title = You need to sign in again
    .what = For { $service } you need to show your e-ID again, but the sign-in at { $organisation } used an earlier one.
    .next = Sign out at { $organisation } or close the browser, and try again.
failure-provider-proxy_restricted =
    .title = { failure-provider-message_malformed.title }
    .what = The answer from the sign-in at { $organisation } may not be passed on to { $service }.
    .next = { failure-provider-message_malformed.next }

## Failures: the organisation's sign-in cannot be reached

failure-provider-unusable =
    .title = The sign-in cannot be used right now
    .what = The sign-in at { $organisation } is not ready for use.
    .next = Try again later. Otherwise read the reference to the support at { $organisation }.
failure-provider-unreachable =
    .title = The sign-in does not answer
    .what = The sign-in at { $organisation } does not answer right now.
    .next = Wait a while and try again. Otherwise ask the support at { $organisation }.
failure-provider-metadata_expired =
    .title = { failure-provider-unusable.title }
    .what = What we know of the sign-in at { $organisation } is too old to be trusted.
    .next = { failure-provider-unusable.next }

## Failures: the browser lost its thread

failure-browser-cookie_missing =
    .title = The sign-in needs to start again
    .what = The browser came back without the cookie that shows that it was you who began.
    .next = Start again in the same browser. If it happens again, allow cookies for this site.
failure-browser-login_unknown =
    .title = The sign-in needs to start again
    .what = The sign-in has waited too long, or it began in another browser.
    .next = Start again at { $service }, and you will soon be in.
failure-browser-login_used =
    .title = This sign-in is already done
    .what = The page belongs to a sign-in that is over.
    .next = Go to { $service }. If you are not signed in there, sign in again.
failure-browser-page_expired =
    .title = You have already passed this page
    .what = The page belongs to a step that is over.
    .next = Start again at { $service }, and you will soon be in.
failure-browser-too_many =
    .title = That was many attempts in a short time
    .what = We wait a little before you can try again.
    .next = Wait two minutes and start again at { $service }. If it happens again, read the reference to your support.

## Failures: a rule says no

failure-policy-provider_unknown =
    .title = The organisation is not here
    .what = The organisation that { $service } asks for is not connected.
    .next = Try again and choose your organisation from the list.
failure-policy-provider_not_allowed =
    .title = This is not the way into { $service }
    .what = For { $organisation }, signing in to { $service } is not open.
    .next = Ask the support at { $organisation } how to sign in.
failure-policy-provider_suspended =
    .title = The sign-in is closed
    .what = Right now the sign-in at { $organisation } cannot be used.
    .next = Ask the support at { $organisation } when it opens again.
failure-policy-organisation_suspended =
    .title = The sign-in is closed
    .what = Right now the sign-in at { $organisation } cannot be used.
    .next = Ask the support at { $organisation } when it opens again.
failure-policy-key_suspended =
    .title = The sign-in is closed
    .what = Right now the sign-in at { $organisation } cannot be relied on, and so it is closed.
    .next = Ask the support at { $organisation } when it opens again.
failure-policy-attribute_missing =
    .title = Something about you is missing
    .what = A detail that { $service } cannot do without did not come from { $organisation }.
    .next = Ask the support at { $organisation } to add it. Read them the reference, so that they see which one it is.
failure-policy-attribute_outside_authority =
    .title = Something about you cannot be used
    .what = A detail in the answer from { $organisation } belongs to another organisation.
    .next = Read the code and the reference to the support at { $organisation }.
failure-policy-assurance_too_low =
    .title = A safer way to sign in is needed
    .what = { $service } requires a level of assurance that signing in at { $organisation } does not have.
    .next = If you have another e-ID for work, sign in again with that one. Otherwise ask the support at { $organisation }.
failure-policy-assurance_above_ceiling =
    .title = { failure-policy-attribute_outside_authority.title }
    .what = The sign-in at { $organisation } claims a higher level of assurance than it is approved for.
    .next = { failure-policy-attribute_outside_authority.next }
failure-policy-subject_missing =
    .title = { failure-policy-attribute_missing.title }
    .what = The detail that { $service } is to recognise you by did not come from { $organisation }.
    .next = Read the code and the reference to the support at { $organisation }.
failure-policy-subject_mismatch =
    .title = The service expected somebody else
    .what = { $service } asked for a certain person, and that is not who signed in at { $organisation }. Nothing has been sent.
    .next = Go back to { $service }. If it is you who should get in, sign out there first and start again.
failure-policy-organisation_unproven =
    .title = It does not show where you work
    .what = The answer does not show that you belong to { $organisation }.
    .next = Read the code and the reference to the support at { $organisation }.
failure-policy-notice_declined =
    .title = You cancelled
    .what = Nothing has been sent to { $service }.
    .next = Start again if you change your mind.
failure-policy-interaction_required =
    .title = There is something for you to do first
    .what = We need to show you something, but { $service } asked for it to be done silently.
    .next = Go back to { $service } and choose to sign in.

## Failures: ours

failure-broker-store_away =
    .title = The sign-in rests for a moment
    .what = A part of the sign-in does not answer. We know about it.
    .next = Wait a minute and try again.
failure-broker-registry_stale =
    .title = { failure-broker-store_away.title }
    .what = The sign-in waits for fresh news of who is connected.
    .next = { failure-broker-store_away.next }
failure-broker-key_missing =
    .title = The sign-in cannot be used right now
    .what = Something is wrong on our side. It is in our log.
    .next = Try again in a while. If it happens again, read the reference to your support.
failure-broker-overloaded =
    .title = Many are signing in right now
    .what = There are more than we can take at once.
    .next = Wait a minute and try again.
failure-broker-page_unknown =
    .title = { not-found-title }
    .what = There is nothing to show here.
    .next = Go to { $service } and sign in from there.
failure-broker-internal =
    .title = Something went wrong on our side
    .what = It is in our log.
    .next = Try again. If it happens again, read the reference to your support.

## What details are called

attribute-surname = Family name
attribute-given_name = Given name
attribute-middle_name = Middle name
attribute-display_name = Name
attribute-gender = Gender
attribute-personal_identity_number = Swedish personal identity number
attribute-coordination_number = Coordination number
attribute-previous_personal_identity_number = Earlier personal identity number
attribute-date_of_birth = Date of birth
attribute-birth_name = Name at birth
attribute-street = Street address
attribute-post_office_box = Post office box
attribute-postal_code = Postal code
attribute-locality = Town
attribute-country = Country
attribute-place_of_birth = Place of birth
attribute-country_of_citizenship = Citizenship
attribute-country_of_residence = Country where you live
attribute-telephone_number = Telephone number
attribute-mobile = Mobile number
attribute-mail = E-mail address
attribute-organisation_name = Your organisation
attribute-organisation_unit = Unit
attribute-organisation_number = Organisation number
attribute-org_affiliation = Your service ID
attribute-transaction_identifier = Number of this sign-in
attribute-auth_context_params = How you signed in
attribute-user_certificate = Your certificate
attribute-user_signature = Your signature
attribute-auth_server_signature = Proof from the sign-in
attribute-signature_activation_data = Details for signing
attribute-sign_message_digest = Checksum of what you sign
attribute-provisional_id = Provisional ID
attribute-provisional_id_persistence = How long the provisional ID lasts
attribute-identity_binding = How your ID is tied to you
attribute-mapped_personal_identity_number = Linked personal identity number
attribute-eidas_person_identifier = Your ID in another country
attribute-eidas_address = Your address in another country
attribute-employee_hsa_id = HSA-ID
attribute-commission_hsa_id = HSA-ID of your commission
attribute-commission_name = Commission
attribute-commission_purpose = Purpose of your commission
attribute-commission_right = Rights of your commission
attribute-health_care_provider_hsa_id = HSA-ID of the care provider
attribute-health_care_provider_name = Care provider
attribute-health_care_professional_licence = Professional licence
attribute-health_care_professional_speciality = Speciality
attribute-group_prescription_code = Group prescription code
attribute-personal_prescription_code = Prescription code
attribute-subject_id = Your ID at your employer
attribute-pairwise_id = Your ID for this service
attribute-edu_person_principal_name = User name

# Organisations behind one sign-in
unnamed-other-organisation = another organisation
error-continue-as = Continue as { $organisation }
failure-policy-organisation_not_chosen =
    .title = You belong to { $organisation }
    .what = You chose { $chosen }, but your sign-in shows that you belong to { $organisation }.
    .next = Continue as { $organisation } to get to { $service }. If that is not right, ask the support at { $organisation }.
failure-policy-connection_closed =
    .title = { $service } is not open to you
    .what = { $organisation } has not opened { $service } to its staff.
    .next = Ask the support at { $organisation } if you need { $service } in your work.
