"""What the project promises to those who read its tables, and the proof: contracts and their verification.

Truths between tables belong to the dbt tests; the shape of one return belongs to the forms.
"""
