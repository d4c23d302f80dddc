/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Elements and attributes of an XML document, one after the other: as much of XML as descriptions of services use
 * ($metadata of OData). UTF-8 only; namespaces' prefixes are left out; text is passed over; a DTD is refused (entities
 * of one can eat all memory, or read files). Pure; in the worker. */
#include "basic/arena.h"
#include "basic/error.h"

typedef struct XmlAttribute { const char *name, *value; } XmlAttribute;

typedef struct XmlElement {
        const char *name;               /* without its prefix */
        const XmlAttribute *attributes;
        size_t n_attributes;
        unsigned line;
} XmlElement;

typedef enum XmlEvent { XML_END_OF_DOCUMENT, XML_BEGIN, XML_END } XmlEvent;

typedef struct XmlReader XmlReader;
/* bytes must outlive the reader; what it gives lives in the arena. -ENOMEM. */
_must_check_ int xml_reader_new(const char *bytes, size_t size, Arena *arena, XmlReader **ret);
/* An XmlEvent, or a negative errno. An element without content gives both events. ret: of XML_BEGIN.
 * ERROR_FILE_FORMAT with line: no XML, cut off, elements that do not close, a DTD, deeper than 100. */
_must_check_ int xml_reader_next(XmlReader *r, XmlElement *ret, Error *error);
const char *xml_attribute(const XmlElement *e, const char *name);       /* its value; NULL */
