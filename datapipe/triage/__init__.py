"""Before a page's text is extracted: copies, listed addresses and pages that cannot survive go by what is cheap to know."""
