"""Other implementations take what the broker publishes: pyFF the aggregate and an MDQ answer, a pysaml2 service provider the MDQ.

Called by tests/publish.rs: BASE CERTIFICATE ENTITY_ID. Says one line for each peer; ends with 1 at the first that does not hold.
"""

import subprocess
import sys
from pathlib import Path
from urllib.parse import quote_plus

base, certificate, provider = sys.argv[1:]
bin_folder = Path(sys.executable).parent


def pyff(name, url, key):
    """Loads `url` with pyFF, which must verify it with `key` and its schemas, and gives what it then publishes; None where it refuses."""
    out = Path(f"pyff-{name}.xml").absolute()
    out.unlink(missing_ok=True)
    pipeline = Path(f"pyff-{name}.fd")
    pipeline.write_text(
        f"- load fail_on_error True:\n  - {url} verify {key}\n- select\n- publish: {out}\n"
    )
    run = subprocess.run([bin_folder / "pyff", pipeline], capture_output=True, text=True, timeout=120)
    if run.returncode != 0 or not out.exists():
        return None, run.stdout + run.stderr
    return out.read_text(), run.stdout + run.stderr


def other_certificate():
    """A certificate that signed nothing here."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "other.key", "-out", "other.crt",
         "-subj", "/CN=other", "-days", "2"],
        check=True, capture_output=True,
    )
    return "other.crt"


for name, url in [
    ("aggregate", f"{base}/metadata/all.xml"),
    ("MDQ", f"{base}/mdq/entities/{quote_plus(provider)}"),
]:
    text, said = pyff(name, url, certificate)
    if text is None or provider not in text:
        sys.exit(f"pyFF does not take the {name}: {said}")
    text, said = pyff(f"{name}-wrong", url, other_certificate())
    if text is not None and provider in text:
        sys.exit(f"pyFF takes the {name} with a key that did not sign it: nothing was verified")
    print(f"pyFF {name}: verified")

from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT  # noqa: E402
from saml2.client import Saml2Client  # noqa: E402
from saml2.config import SPConfig  # noqa: E402


def service_provider(key):
    """A pysaml2 service provider that knows its peers over MDQ alone."""
    config = SPConfig()
    config.load({
        "entityid": "https://sp.example/metadata",
        "xmlsec_binary": "/usr/bin/xmlsec1",
        "metadata": {"mdq": [{"url": f"{base}/mdq", "cert": key}]},
        "service": {"sp": {
            "endpoints": {"assertion_consumer_service": [("https://sp.example/acs", BINDING_HTTP_POST)]},
            "authn_requests_signed": False,
        }},
    })
    return Saml2Client(config)


peer = service_provider(certificate)
_, info = peer.prepare_for_authenticate(entityid=provider, binding=BINDING_HTTP_REDIRECT)
location = dict(info["headers"])["Location"]
if "SAMLRequest=" not in location:
    sys.exit(f"pysaml2 made no request: {location}")
try:
    service_provider("other.crt").prepare_for_authenticate(entityid=provider, binding=BINDING_HTTP_REDIRECT)
except Exception:  # noqa: BLE001 - whichever way it refuses
    print("pysaml2 MDQ: AuthnRequest", location.split("?")[0])
else:
    sys.exit("pysaml2 takes metadata that another key signed")
