"""What the rules of all frontends share: slots, and the choice among them."""
