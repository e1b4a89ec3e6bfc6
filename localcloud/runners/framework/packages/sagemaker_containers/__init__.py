"""What handlers import from the older toolkit of the scikit-learn image: `beta.framework.worker`. Own code."""
