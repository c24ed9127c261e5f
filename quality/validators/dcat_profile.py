"""dcat.jsonld, by SHACL shapes of the UK Cross-Government Metadata Exchange Model, and against the files.

The shapes are our transcription of the model; `shapes/uk-dcat.ttl` says of which version of it.
"""

from __future__ import annotations

import functools
import hashlib
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quality.validators import Fault
from quality.validators.local import named, read_json

if TYPE_CHECKING:
    from rdflib import Graph

NAME = "dcat"
METADATA = "dcat.jsonld"
SHAPES = Path(__file__).with_name("shapes") / "uk-dcat.ttl"

# Written after the metadata, so not in it.
_AFTER = {METADATA, "SHA256SUMS"}

_DCAT = "http://www.w3.org/ns/dcat#"
_SPDX = "http://spdx.org/rdf/terms#"


def validate(folder: Path) -> list[Fault]:
    """The faults of the catalogue entry: what the model asks for and is missing, and what is not so."""
    document, faults = read_json(NAME, folder, METADATA)
    faults = faults or list(_context_faults(document))
    if faults:
        return faults

    from pyshacl import validate as shacl
    from rdflib import Graph

    graph = Graph()
    try:
        with warnings.catch_warnings():
            # rdflib uses a class of its own that it has deprecated
            warnings.filterwarnings("ignore", "ConjunctiveGraph is deprecated", DeprecationWarning)
            graph.parse(data=json.dumps(document), format="json-ld")
    except Exception as error:  # whatever the reader of JSON-LD makes of a broken one
        return [Fault(NAME, METADATA, f"{METADATA} is not JSON-LD: {error}.")]
    _, results, _ = shacl(graph, shacl_graph=_shapes(), inference="none", advanced=False)
    return [*_shape_faults(results), *_dataset_faults(graph), *_file_faults(folder, graph)]


@functools.cache
def _shapes() -> Graph:
    from rdflib import Graph

    return Graph().parse(SHAPES, format="turtle")


def _context_faults(document: dict[str, Any]) -> Iterator[Fault]:
    """A context elsewhere would be fetched, and could change what every word of the file means."""
    if not isinstance(document.get("@context"), dict):
        yield Fault(NAME, METADATA, f"{METADATA} at @context: is not written out in the file.")
    for place, value in named(document, {"@context", "@import"}):
        if not isinstance(value, dict):
            yield Fault(NAME, METADATA, f"{METADATA} at {place}: {value!r} would have to be fetched.")


def _shape_faults(results: Any) -> Iterator[Fault]:
    from rdflib import SH

    faults = set()
    for result in results.subjects(SH.resultSeverity, None):
        node, path = results.value(result, SH.focusNode), results.value(result, SH.resultPath)
        value = results.value(result, SH.value)
        place = str(node) if str(node).startswith("http") else "a node without an address"
        path_name = f" {_last(path)}" if path is not None else ""
        held = f" (it has {value})" if value is not None and len(str(value)) < 200 else ""
        said = "; ".join(sorted(str(message) for message in results.objects(result, SH.resultMessage)))
        faults.add(Fault(NAME, METADATA, f"{METADATA} at {place}{path_name}: {said}{held}."))
    yield from sorted(faults, key=lambda fault: fault.message)


def _dataset_faults(graph: Graph) -> Iterator[Fault]:
    """Shapes are silent on what is not there at all."""
    from rdflib import RDF, URIRef

    count = len(set(graph.subjects(RDF.type, URIRef(f"{_DCAT}Dataset"))))
    if count != 1:
        yield Fault(NAME, METADATA, f"{METADATA} holds {count} dcat:Dataset; a release is one.")


def _file_faults(folder: Path, graph: Graph) -> Iterator[Fault]:
    """Every file of the folder is a distribution and the other way round, with its size and hash."""
    from rdflib import RDF, URIRef

    described = {}
    for node in graph.subjects(RDF.type, URIRef(f"{_DCAT}Distribution")):
        described[_last(graph.value(node, URIRef(f"{_DCAT}downloadURL")))] = node
    present = {item.name for item in folder.iterdir()} - _AFTER
    for name in sorted(present ^ set(described)):
        where = "the folder" if name in present else METADATA
        yield Fault(NAME, name, f"{name} stands in {where} only; the other does not know it.")
    for name in sorted(present & set(described)):
        content = (folder / name).read_bytes()
        size = graph.value(described[name], URIRef(f"{_DCAT}byteSize"))
        if str(size) != str(len(content)):
            yield Fault(NAME, name, f"{name} has {len(content)} bytes, {METADATA} says {size}.")
        checksum = graph.value(described[name], URIRef(f"{_SPDX}checksum"))
        digest = graph.value(checksum, URIRef(f"{_SPDX}checksumValue"))
        if str(digest).lower() != hashlib.sha256(content).hexdigest():
            yield Fault(NAME, name, f"{name} has another SHA-256 than {METADATA} says.")


def _last(address: Any) -> str:
    """The last part of an address: the name of a property, or of a file."""
    return str(address).rpartition("/")[2].rpartition("#")[2]
