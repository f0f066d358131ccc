"""Query options of OData: what may be asked, and the SQL that answers it."""
